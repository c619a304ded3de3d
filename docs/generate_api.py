#!/usr/bin/env python3
"""Makes docs/api.md from api/openapi.yaml and the error codes of src/base/result.cpp.

    generate_api.py           writes docs/api.md
    generate_api.py --check   fails when docs/api.md is not what this script would write

It reads the YAML that src/base/yaml.cpp writes and no other: block mappings and sequences, plain and
double-quoted scalars (which are JSON strings), empty {} and []. Anything else stops it. Only the
standard library is used, so that the test needs no package.
"""
import difflib
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "api" / "openapi.yaml"
CODES = ROOT / "src" / "base" / "result.cpp"
TARGET = ROOT / "docs" / "api.md"
WIDEST = 2**32 - 1  # bounds from here on only say how wide the integer is

PREFACE = """# HTTP API

Made from `api/openapi.yaml` by `docs/generate_api.py`; do not edit. `./dev docs` makes it anew.

The master serves it over HTTPS and on its Unix socket; every other daemon serves it on its own Unix
socket and passes requests on to a master. Only `GET /api/v1/local` is answered by the daemon itself.
[operating.md](operating.md) says who has which role, and how to ask with `curl`.

- Bodies are JSON. Times are RFC 3339 in UTC with milliseconds.
- A list is `{"items": [..], "next_page": ".."}`; give `next_page` back as `page` for what follows.
  It is absent at the end. What comes or goes between two pages shifts nothing. A token is good for its
  list and order alone.
- `fields=name,phase.state` gives those fields alone, of one thing or of each in a list; `sort=-flag,name`
  sorts a list, nulls first, numbers as numbers, all else in natural order. Unknown names are refused
  with the known ones.
- HEAD works where GET does, OPTIONS everywhere; 405 says in `Allow` what does.
- `GET /api/v1/openapi.yaml` and `drover-master --openapi` give the contract of the master itself.
- A refusal is `application/problem+json`: [ProblemDocument](#problemdocument). Programs should look at
  its `type`, `urn:drover:problem:` and a name [from this table](#problems); `next` is what a person
  should do.
- One thing comes with an `ETag`, its revision. A change with that as `If-Match` is refused with 412,
  with who changed it and when, if it has changed meanwhile; `If-None-Match: *` makes a thing only if it is
  not there. What replaces a thing as a whole must say one of them: 428. A GET with the ETag as
  `If-None-Match` gets 304 while nothing has changed.
- Requests on many nodes answer [BulkResult](#bulkresult): 200 when all are done, else 207; nodes that ended
  alike are one entry.
- Whoever asks too often gets 429 with `Retry-After`: daemons and root on the master's own socket never.
- A change may carry `Idempotency-Key`: the same key with the same request by the same caller gives the
  first answer again, for a day; with another request it is refused with 409.
- A daemon that has lost its masters answers a read that it has heard before from memory, with
  `Drover-Degraded: WHY; since=TIME` and `Age: SECONDS`. Everything else it refuses with 503, or 504
  when the masters do not answer in time: 30 s, or the request's `Drover-Timeout-Ms`.
"""


class Reader:
    """The lines of the document, each as (indent, text); "- " before a mapping counts as indent."""

    def __init__(self, text):
        self.lines = []
        for number, line in enumerate(text.splitlines(), 1):
            body = line.lstrip(" ")
            if body:
                self.lines.append((len(line) - len(body), body, number))
        self.at = 0

    def fail(self, what):
        number = self.lines[min(self.at, len(self.lines) - 1)][2]
        sys.exit(f"{SOURCE}:{number}: {what}")

    def block(self, indent):
        """The mapping or sequence whose lines begin at `indent`."""
        if self.lines[self.at][1].startswith("- "):
            return self.sequence(indent)
        return self.mapping(indent)

    def mapping(self, indent):
        out = {}
        while self.at < len(self.lines) and self.lines[self.at][0] == indent:
            key, rest = self.split_key(self.lines[self.at][1])
            if key in out:
                self.fail(f"{key} stands twice")
            out[key] = self.value(rest, indent)
        self.check_end(indent)
        return out

    def sequence(self, indent):
        out = []
        while self.at < len(self.lines) and self.lines[self.at][0] == indent:
            _, text, number = self.lines[self.at]
            if not text.startswith("- "):
                self.fail("expected an item")
            item = text[2:]
            if self.split_key(item, may_fail=True)[0] is None:
                out.append(self.value(item, indent))
            else:
                self.lines[self.at] = (indent + 2, item, number)
                out.append(self.mapping(indent + 2))
        self.check_end(indent)
        return out

    def check_end(self, indent):
        if self.at < len(self.lines) and self.lines[self.at][0] > indent:
            self.fail("unexpected indent")

    def value(self, rest, indent):
        self.at += 1
        if rest:
            return self.scalar(rest)
        if self.at == len(self.lines) or self.lines[self.at][0] != indent + 2:
            self.at -= 1
            self.fail("expected a block, indented by two")
        return self.block(indent + 2)

    def split_key(self, text, may_fail=False):
        """("key", "the rest") of "key: the rest" and "key:"; (None, text) when it is no key."""
        if text.startswith('"'):
            try:
                key, end = json.JSONDecoder().raw_decode(text)
            except json.JSONDecodeError as error:
                self.fail(str(error))
            after = text[end:]
        else:
            end = text.find(": ")
            if end < 0 and text.endswith(":"):
                end = len(text) - 1
            if end < 0:
                end = len(text)
            key, after = text[:end], text[end:]
        if after == ":":
            return key, ""
        if after.startswith(": "):
            return key, after[2:]
        if may_fail:
            return None, text
        return self.fail("expected a key")

    def scalar(self, text):
        if text.startswith('"') or text in ("{}", "[]", "true", "false", "null"):
            try:
                return json.loads(text)
            except json.JSONDecodeError as error:
                self.fail(str(error))
        if text[0] in "|>&*!'{[%@`#?,-" and not text[1:].replace(".", "").isdigit():
            self.fail(f"this is not the YAML that Drover writes: {text}")
        if re.fullmatch(r"-?\d+", text):
            return int(text)
        if re.fullmatch(r"-?\d+\.\d+(e[+-]?\d+)?", text):
            return float(text)
        return text


def cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def type_of(schema):
    """The type of a field in words, with links to the types of the document."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "oneOf" in schema:
        return " or ".join(type_of(one) for one in schema["oneOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join(type_of({**schema, "type": one}) for one in kind)
    if kind == "array":
        return f"list of {type_of(schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map of {type_of(schema['additionalProperties'])}"
    if kind is None:
        return "any"
    if kind == "string" and schema.get("format") == "date-time":
        return "time"
    return kind


def range_of(schema):
    """Bounds that are more than the width of an integer."""
    least, most = schema.get("minimum", 0), schema.get("maximum", WIDEST)
    text = f" At least {least}." if least != 0 else ""
    return text + (f" At most {most}." if most < WIDEST else "")


def body_of(content):
    """A body in words: its type, and its media type where it is not plain JSON."""
    out = []
    for media, entry in content.items():
        schema = entry["schema"]
        items = schema.get("properties", {}).get("items")
        text = f"a list of {type_of(items['items'])}" if items else type_of(schema)
        if text == "string":
            text = "text"
        out.append(text if media == "application/json" else f"{text}, as `{media}`")
    return "; or ".join(out)


def resolve(document, entry):
    """What a reference to a component stands for."""
    if "$ref" not in entry:
        return entry
    at = document
    for step in entry["$ref"].split("/")[1:]:
        at = at[step]
    return at


def problems_of(response):
    """Names of the problem types of a shared response."""
    schema = response["content"]["application/problem+json"]["schema"]
    return [kind.rsplit(":", 1)[1] for kind in schema["allOf"][1]["properties"]["type"]["enum"]]


def example_of(content):
    """Lines of the first example of a body, when it has one."""
    entry = next(iter(content.values()))
    if "example" not in entry:
        return []
    return ["", "```json", json.dumps(entry["example"], indent=2, ensure_ascii=False), "```", ""]


def operation(document, path, method, entry):
    lines = [f"### {method.upper()} {path}", "", entry["summary"] + " " + entry["description"], ""]
    parameters = [resolve(document, p) for p in entry.get("parameters", [])]
    headers = [p["name"] for p in parameters if p["in"] == "header" and p["name"] != "Drover-Timeout-Ms"]
    parameters = [p for p in parameters if p["in"] != "header"]
    if parameters:
        lines += ["| parameter | in | type | |", "|---|---|---|---|"]
        lines += [f"| `{p['name']}` | {p['in']} | {type_of(p['schema'])} | "
                  f"{cell(p['description'])}{range_of(p['schema'])} |" for p in parameters]
        lines.append("")
    if headers:
        lines += ["Heeds " + ", ".join(f"`{name}`" for name in headers) + ".", ""]
    if "requestBody" in entry:
        content = entry["requestBody"]["content"]
        lines.append(f"Takes {body_of(content)}.")
        lines += example_of(content) or [""]
    refused = []
    for status, reference in entry["responses"].items():
        answer = resolve(document, reference)
        if status == "default":
            continue
        if "$ref" in reference:
            refused.append(f"{status} " + " or ".join(f"`{name}`" for name in problems_of(answer)))
            continue
        gives = body_of(answer["content"]) if "content" in answer else "nothing"
        carried = "".join(f", with `{name}`" for name in answer.get("headers", {}))
        lines.append(f"Gives {status} and {gives}{carried}.")
        lines += example_of(answer["content"]) if "content" in answer else []
        if lines[-1]:
            lines.append("")
    return lines + ["Refuses with " + ", ".join(refused) + ".", ""]


def component(name, schema):
    lines = [f"### {name}", ""]
    if schema.get("type") != "object" or "properties" not in schema:
        return lines + [type_of(schema), ""]
    required = schema.get("required", [])
    lines += ["| field | type | required | |", "|---|---|---|---|"]
    for field, entry in schema["properties"].items():
        needed = "yes" if field in required else ""
        text = cell(entry.get("description", "")) + range_of(entry)
        lines.append(f"| `{field}` | {type_of(entry)} | {needed} | {text} |")
    return lines + [""]


def problems():
    """The table of problem types, from the rows {"name", status, exit code, "title"}."""
    rows = re.findall(r'^    \{"([a-z-]+)", (\d+), (\d+), "([^"]+)"\},$',
                      CODES.read_text(encoding="utf-8"), re.MULTILINE)
    if not rows:
        sys.exit(f"{CODES}: the rows of kCodes were not found")
    lines = ["## Problems", "", "What `drover` exits with when it meets the problem is beside it.", "",
             "| `urn:drover:problem:` | status | exit code | |", "|---|---|---|---|"]
    return lines + [f"| `{name}` | {status} | {code} | {title} |"
                    for name, status, code, title in rows] + [""]


def page(document):
    lines = [PREFACE, "## Requests", ""]
    for path, methods in document["paths"].items():
        for method, entry in methods.items():
            anchor = f"{method}-{path}".replace("/", "").replace("{", "").replace("}", "")
            lines.append(f"- [{method.upper()} {path}](#{anchor}): {entry['summary']}")
    lines.append("")
    for path, methods in document["paths"].items():
        for method, entry in methods.items():
            lines += operation(document, path, method, entry)
    lines += problems()
    lines += ["## Types", "",
              "*Required*: a request must have it. Answers have every field.", ""]
    for name, schema in document["components"]["schemas"].items():
        lines += component(name, schema)
    return "\n".join(lines).rstrip("\n") + "\n"


def main():
    made = page(Reader(SOURCE.read_text(encoding="utf-8")).block(0))
    if sys.argv[1:] == ["--check"]:
        there = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
        if made == there:
            return
        sys.stdout.writelines(difflib.unified_diff(
            there.splitlines(True), made.splitlines(True), "docs/api.md", "what it should be"))
        sys.exit("docs/api.md is not what api/openapi.yaml gives: run ./dev docs")
    if sys.argv[1:]:
        sys.exit(__doc__)
    TARGET.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
