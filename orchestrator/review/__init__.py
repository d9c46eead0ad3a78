"""Lets a person look through what a plan decides, and decide otherwise, before anything is changed."""
