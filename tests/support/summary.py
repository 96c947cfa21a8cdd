#!/usr/bin/env python3
"""summary.py RESULTS [FAILED_STAGE...]: counts test cases and ends with the line "N passed, N failed".

RESULTS holds ctest.xml (ctest --output-junit) and, for each program that writes one, <program>.xml with its own cases (GoogleTest, QtTest).
A program without such a file counts as one case; a program that crashed or timed out counts as a failure whatever its file says.
"""
import pathlib
import sys
import xml.etree.ElementTree as xml


def outcome_of(case):
    skipped, status = case.find("skipped"), case.get("status")
    # ctest says "notrun" also of a program that it could not find, which is no skip; GoogleTest says it of a disabled case.
    not_found = status == "notrun" and skipped is not None and not skipped.get("message", "").startswith("SKIP_")
    if not_found or status == "fail" or case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if skipped is not None or status in ("notrun", "disabled") else "passed"


def cases_of(file):
    """(name, "passed" | "failed" | "skipped") for each case of a JUnit file; an unreadable one (the program died while writing) has none."""
    try:
        root = xml.parse(file).getroot()
    except (OSError, xml.ParseError):
        return []
    cases = []
    for case in root.iter("testcase"):
        name = ".".join(part for part in (case.get("classname"), case.get("name")) if part)
        # QtTest reports its set-up and clean-up as cases; they count only when they go wrong.
        if outcome_of(case) == "failed" or case.get("name") not in ("initTestCase", "cleanupTestCase"):
            cases.append((name, outcome_of(case)))
    return cases


def summarize(results, failed_stages):
    cases = [(stage, "failed") for stage in failed_stages]
    programs = cases_of(results / "ctest.xml")
    for program, status in programs:
        program = program.split(".")[-1]
        own = cases_of(results / f"{program}.xml")
        cases += [(f"{program}: {name}", outcome) for name, outcome in own] or [(program, status)]
        if own and status == "failed" and not any(outcome == "failed" for _, outcome in own):
            cases.append((f"{program} (crashed or timed out)", "failed"))
    if not programs and not failed_stages:
        cases.append(("no test ran", "failed"))
    return cases


def main():
    cases = summarize(pathlib.Path(sys.argv[1]), sys.argv[2:])
    for outcome in ("skipped", "failed"):
        for name, status in cases:
            if status == outcome:
                print(f"{outcome}: {name}")
    passed, failed = (sum(1 for _, status in cases if status == wanted) for wanted in ("passed", "failed"))
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
