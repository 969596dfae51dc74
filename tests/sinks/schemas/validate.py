"""Validates each line of a file, a JSON value, against a JSON Schema. usage: validate.py SCHEMA LINES
Says what is wrong with the first few, and how many were right; exit code 1 if any was wrong."""
import json
import sys

import jsonschema

with open(sys.argv[1]) as file:
    validator = jsonschema.Draft7Validator(json.load(file))
right = wrong = 0
with open(sys.argv[2]) as file:
    for number, line in enumerate(file, 1):
        error = jsonschema.exceptions.best_match(validator.iter_errors(json.loads(line)))
        if error is None:
            right += 1
            continue
        wrong += 1
        if wrong <= 5:
            place = "/".join(str(step) for step in error.absolute_path)
            print("line %d: /%s: %s" % (number, place, error.message[:500]))
print("%d right, %d wrong" % (right, wrong))
sys.exit(1 if wrong else 0)
