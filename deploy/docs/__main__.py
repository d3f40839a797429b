"""`python -m deploy.docs`: write the pages that are made from the code; `make docs`."""

from deploy.docs.case_page import CASE_PAGE, case_page

CASE_PAGE.write_text(case_page(), encoding="utf-8")
