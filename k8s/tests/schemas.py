#!/usr/bin/env python3
"""Schemas for kubeconform, without a cluster and without a network of our own: schemas.py OUT swagger.json [CRD.yaml...]

swagger.json is api/openapi-spec/swagger.json of the module k8s.io/kubernetes. The files are named as kubeconform's template
`{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json` asks for them; of a core kind the group is its version. Objects whose members are
listed take no others. What has no Go module lies beside this file, in crds/.
"""

import json
import pathlib
import shutil
import sys

import yaml

HERE = pathlib.Path(__file__).parent
INT_OR_STRING = {"type": ["string", "integer"]}
# `=` among the values of an enumeration means something else in old YAML.
yaml.SafeLoader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))


def expanded(schema, definitions, within=()):
    """The schema with references in place, without Kubernetes' own words, refusing members that it does not list."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        if name.endswith(".Quantity"):
            return {"type": ["string", "number"]}
        # A schema may contain itself (JSONSchemaProps).
        return {} if name in within else expanded(definitions[name], definitions, (*within, name))
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        return INT_OR_STRING
    result = {}
    for key in ("type", "enum", "required", "pattern", "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength"):
        if key in schema:
            result[key] = schema[key]
    if "properties" in schema:
        result["properties"] = {name: expanded(member, definitions, within) for name, member in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            result[key] = expanded(schema[key], definitions, within)
    if "properties" in schema and "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    return result


def write(out, kind, group, version, schema):
    (out / f"{kind.lower()}-{group or version}-{version}.json").write_text(json.dumps(schema))


def main(out, swagger, *crds):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    definitions = json.loads(pathlib.Path(swagger).read_text())["definitions"]
    for name, definition in definitions.items():
        for meant in definition.get("x-kubernetes-group-version-kind", []):
            if not name.startswith("io.k8s.apimachinery"):
                write(out, meant["kind"], meant["group"], meant["version"], expanded(definition, definitions, (name,)))
    for path in crds:
        for crd in yaml.safe_load_all(pathlib.Path(path).read_text()):
            if not crd or crd.get("kind") != "CustomResourceDefinition":
                continue
            for version in crd["spec"]["versions"]:
                schema = expanded(version["schema"]["openAPIV3Schema"], {})
                schema["properties"]["metadata"] = {"type": "object"}
                write(out, crd["spec"]["names"]["kind"], crd["spec"]["group"], version["name"], schema)
    for path in (HERE / "crds").glob("*.json"):
        shutil.copy(path, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
