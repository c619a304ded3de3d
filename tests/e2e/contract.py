"""api/openapi.yaml as the tests use it: its operations, and a checker for the JSON Schema that it holds.

The checker knows the keywords that Drover writes and stops at any other, so that none is passed over.
"""
import importlib.util
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTES = {"description", "example", "examples", "title"}  # say nothing about what is valid
TYPES = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def read(text):
    """The document of a YAML text that Drover wrote."""
    spec = importlib.util.spec_from_file_location("generate_api", ROOT / "docs" / "generate_api.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Reader(text).block(0)


class Contract:
    """The document and what is in it."""

    def __init__(self, text):
        self.document = read(text)

    def resolve(self, entry):
        if "$ref" not in entry:
            return entry
        at = self.document
        for step in entry["$ref"].split("/")[1:]:
            at = at[step]
        return at

    def operations(self):
        """("GET /api/v1/nodes", its entry) of every operation."""
        for path, methods in self.document["paths"].items():
            for method, entry in methods.items():
                yield f"{method.upper()} {path}", entry

    def parameters(self, entry):
        return [self.resolve(p) for p in entry.get("parameters", [])]

    def answers(self, entry):
        """{status: response} of what is documented one by one; "default" is left out."""
        return {int(status): self.resolve(response) for status, response in entry["responses"].items()
                if status != "default"}

    def problems(self, response):
        """Problem types that a response documents, without their prefix."""
        schema = response["content"]["application/problem+json"]["schema"]
        return [kind.removeprefix("urn:drover:problem:") for kind in schema["allOf"][1]["properties"]["type"]["enum"]]

    def check(self, schema, value, where="the body"):
        """Mistakes of `value`, as texts."""
        return list(self._mistakes(schema, value, where))

    def _mistakes(self, schema, value, where):
        for keyword, rule in schema.items():
            if keyword in NOTES:
                continue
            test = getattr(self, "_" + keyword.lstrip("$"), None)
            if test is None:
                raise AssertionError(f"the checker does not know the keyword {keyword}")
            yield from test(rule, value, where, schema)

    def _ref(self, rule, value, where, _schema):
        yield from self._mistakes(self.resolve({"$ref": rule}), value, where)

    def _type(self, rule, value, where, _schema):
        kinds = rule if isinstance(rule, list) else [rule]
        if not any(self._is(kind, value) for kind in kinds):
            yield f"{where}: expected {' or '.join(kinds)}, got {value!r:.80}"

    @staticmethod
    def _is(kind, value):
        if kind in ("integer", "number"):
            whole = isinstance(value, int) and not isinstance(value, bool)
            return whole or (kind == "number" and isinstance(value, float))
        return isinstance(value, TYPES[kind])

    def _properties(self, rule, value, where, _schema):
        if isinstance(value, dict):
            for name in rule.keys() & value.keys():
                yield from self._mistakes(rule[name], value[name], f"{where}.{name}")

    def _additionalProperties(self, rule, value, where, schema):
        if not isinstance(value, dict):
            return
        for name in value.keys() - schema.get("properties", {}).keys():
            if rule is False:
                yield f"{where}: '{name}' is not documented"
            elif isinstance(rule, dict):
                yield from self._mistakes(rule, value[name], f"{where}.{name}")

    def _required(self, rule, value, where, _schema):
        if isinstance(value, dict):
            yield from (f"{where}: '{name}' is missing" for name in rule if name not in value)

    def _items(self, rule, value, where, _schema):
        if isinstance(value, list):
            for i, inner in enumerate(value):
                yield from self._mistakes(rule, inner, f"{where}[{i}]")

    def _enum(self, rule, value, where, _schema):
        if value not in rule:
            yield f"{where}: {value!r} is none of {rule}"

    def _const(self, rule, value, where, _schema):
        if value != rule:
            yield f"{where}: {value!r} is not {rule!r}"

    def _minimum(self, rule, value, where, _schema):
        if isinstance(value, (int, float)) and value < rule:
            yield f"{where}: {value} is under {rule}"

    def _maximum(self, rule, value, where, _schema):
        if isinstance(value, (int, float)) and value > rule:
            yield f"{where}: {value} is over {rule}"

    def _minLength(self, rule, value, where, _schema):
        if isinstance(value, str) and len(value) < rule:
            yield f"{where}: shorter than {rule}"

    def _maxLength(self, rule, value, where, _schema):
        if isinstance(value, str) and len(value) > rule:
            yield f"{where}: longer than {rule}"

    def _pattern(self, rule, value, where, _schema):
        if isinstance(value, str) and not re.search(rule, value):
            yield f"{where}: {value!r} does not fit {rule}"

    def _format(self, rule, value, where, _schema):
        assert rule == "date-time", rule
        if isinstance(value, str) and not TIME.fullmatch(value):
            yield f"{where}: {value!r} is no time"

    def _allOf(self, rule, value, where, _schema):
        for one in rule:
            yield from self._mistakes(one, value, where)

    def _oneOf(self, rule, value, where, _schema):
        found = [list(self._mistakes(one, value, where)) for one in rule]
        if sum(not mistakes for mistakes in found) != 1:
            yield f"{where}: fits none of {len(rule)}: {[m[0] for m in found if m]}"
