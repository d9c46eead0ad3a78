"""Reports as web pages: one self-contained file each, for plans, runs, jobs and libraries.

`document` describes a page, `page` writes it, `rows` encodes its long lists; `plan_page`, `run_page`, `job_page` and
`statistics_page` describe the four kinds. The files in page/ are its style and script. A page loads nothing.
"""
