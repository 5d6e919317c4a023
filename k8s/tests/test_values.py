"""The values: each said in one comment, each in the schema, the application's variables those of spin.toml, mistakes refused."""

import json
import re
import unittest

import yaml

import manifest
import rendering

TEXT = (manifest.CHART / "values.yaml").read_text()
VALUES = yaml.safe_load(TEXT)
SCHEMA = json.loads((manifest.CHART / "values.schema.json").read_text())


# Maps whose members are the operator's.
FREE = {("variables",), ("secrets", "values"), ("runtime", "limits")}


def leaves(node, members, path=()):
    """Where values stand in a tree whose nodes have these members; what is free is one value."""
    for key, value in members(node).items():
        here = (*path, key)
        if here in FREE or not members(value):
            yield here
        else:
            yield from leaves(value, members, here)


def of_values(node):
    # Quantities are one value.
    return node if isinstance(node, dict) and not {"cpu", "memory"} <= set(node) else {}


def of_schema(node):
    return node.get("properties", {})


class Values(unittest.TestCase):
    def test_each_has_one_comment(self):
        lines = TEXT.splitlines()
        for number, line in enumerate(lines):
            found = re.match(r" *(\w+): *(\S.*)$", line)
            if found and not line.lstrip().startswith(("#", "-")):
                with self.subTest(line=line.strip()):
                    self.assertTrue(lines[number - 1].lstrip().startswith("# "))

    def test_the_schema_knows_each_and_no_other(self):
        given = {path[:-1] if path[-1] in ("requests", "limits") and path not in FREE else path for path in leaves(VALUES, of_values)}
        known = {path for path in leaves(SCHEMA, of_schema) if path != ("global",)}
        self.assertEqual(known, given)

    def test_the_variables_are_those_of_the_manifest(self):
        known = SCHEMA["properties"]["variables"]["properties"]
        self.assertEqual(list(known), manifest.OPERATORS, "run `make check-deploy BLESS=1`")

    def test_secrets_are_those_of_the_manifest_the_servers_passwords_and_the_keys_of_clients(self):
        known = set(SCHEMA["properties"]["secrets"]["properties"]["values"]["properties"])
        self.assertEqual(known, manifest.SECRET | {"postgres_password", "redis_password", "test_api_key", "metrics_api_key"})

    def test_mistakes_are_refused(self):
        for mistake in (
            "host=docker",
            "api.replica=3",
            "variables.max_sides=100",
            "variables.database_url=postgres://here",
            "worker.autoscaling.minReplicas=0",
            "service.nodePort=8080",
            "s3.prefix=/slashed/",
            "spinkube.tickSeconds=0",
            "fullnameOverride=" + "f" * 41,
        ):
            with self.subTest(mistake), self.assertRaises(rendering.Refused):
                rendering.text("defaults", "runtime", sets=(mistake,))

    def test_a_variable_that_is_set_reaches_both_hosts(self):
        text = rendering.text("everything", "runtime")
        self.assertIn('{name: SPIN_VARIABLE_MAX_SIDE, value: "8192"}', text)
        self.assertIn('{name: max_side, value: "8192"}', rendering.text("everything", "spinkube"))


if __name__ == "__main__":
    unittest.main()
