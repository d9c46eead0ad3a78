"""`sync`: makes two locations alike, by what has changed on each since both were last alike. Pure."""
