#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pages.py FOLDER: what a reader sees of the reference pages in FOLDER, rendered by cmark-gfm, beside the models there.

Of each page NAME.md with its NAME.shm.json:
- every link leads to an anchor that is there once, or to a page that is there;
- nothing is formatted but what the pages format themselves, and no text became anything but text;
- every documentation, reason and string of the model is read as it was written, but for white space;
- the rows of a layout follow one another from the first byte to the last.
"""
import collections
import html.parser
import json
import pathlib
import posixpath
import re
import subprocess
import sys
import urllib.parse

TAGS = {"h1", "h2", "h3", "h4", "p", "a", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "br", "em",
        "strong"}
EMPHASIZED = {"padding", "reserved", "The request", "The reply", "Each item of the request", "Each item of the reply",
              "What it carries"}
STRONG = {"Deprecated"}
HIDDEN = re.compile("[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\x80-\x9f]")
faults = 0


def fault(text):
    global faults
    faults += 1
    print(text)


class Page(html.parser.HTMLParser):
    """A rendered page: its text, what is in which element, its links, anchors and tables."""

    def __init__(self, markdown):
        super().__init__()
        self.open, self.text = [], ""
        self.links, self.anchors, self.tags = [], collections.Counter(), collections.Counter()
        self.inside = collections.defaultdict(list)
        self.tables = []
        # Autolinks are for readers; they are no links of the page.
        rendered = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "strikethrough"], input=markdown,
                                  capture_output=True, text=True, check=True).stdout
        self.feed(rendered)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        attributes = dict(attributes)
        if "id" in attributes:
            self.anchors[attributes["id"]] += 1
        if "href" in attributes:
            self.links.append(attributes["href"])
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag == "br":
            self.text += " "
        else:
            self.open.append(tag)
            self.inside[tag].append("")

    def handle_endtag(self, tag):
        if tag == "br":
            return
        if not self.open or self.open.pop() != tag:
            fault(f"</{tag}> closes something else")
        self.text += " "

    def handle_data(self, data):
        self.text += data
        for tag in set(self.open):
            self.inside[tag][-1] += data
            if tag in ("td", "th"):
                self.tables[-1][-1][-1] += data


def flat(text):
    return " ".join(text.split())


def seen(text):
    """A text of the model as a page shows it."""
    text = HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)
    return flat("".join(" " if ord(c) < 32 or ord(c) == 127 else c for c in text))


def texts(value):
    """All documentation and reasons within a model."""
    if isinstance(value, dict):
        yield from (value[key] for key in ("doc", "deprecated") if value.get(key))
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(child)


def defaults(value):
    if isinstance(value, dict) and isinstance(value.get("default"), str):
        yield value["default"]
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from defaults(child)


def records(value):
    """The sizes of all structs, messages and inline bodies that a page has a table of."""
    if isinstance(value, dict) and not value.get("composed_from"):
        if "fields" in value:
            yield value["size"]
        for child in value.values():
            yield from records(child)
    elif isinstance(value, list):
        for child in value:
            yield from records(child)


def layout_check(name, page, model):
    sizes = []
    for table in page.tables:
        if table[0][:3] != ["offset", "size", "field"]:
            continue
        end = 0
        for row in table[1:]:
            if int(row[0]) != end:
                fault(f"{name}: {row[2]} begins at {row[0]}, and {end} bytes are before it")
            end = int(row[0]) + int(row[1])
        sizes.append(end)
    if sorted(sizes) != sorted(records(model)):
        fault(f"{name}: the layouts end at {sorted(sizes)}, the records at {sorted(records(model))}")
    for table in page.tables:
        if {len(row) for row in table} != {len(table[0])}:
            fault(f"{name}: rows of another length: {table}")


folder = pathlib.Path(sys.argv[1])
pages = {str(path.relative_to(folder)): Page(path.read_text()) for path in sorted(folder.rglob("*.md"))}
links = shown = 0
for name, page in pages.items():
    model = json.loads((folder / (name[:-3] + ".shm.json")).read_text())
    for tag in page.tags.keys() - TAGS:
        fault(f"{name}: there is a <{tag}>")
    for text in set(page.inside["em"]) - EMPHASIZED:
        fault(f"{name}: '{text}' is emphasized")
    for text in set(page.inside["strong"]) - STRONG:
        fault(f"{name}: '{text}' is strong")
    for code in page.inside["code"]:
        if "`" in code:
            fault(f"{name}: a span of code is '{code}'")
    for anchor, times in page.anchors.items():
        if times > 1:
            fault(f"{name}: {times} anchors are called {anchor}")
    for link in page.links:
        path, _, anchor = link.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), urllib.parse.unquote(path))) if path else name
        links += 1
        if target not in pages or anchor and not pages[target].anchors[anchor]:
            fault(f"{name}: nothing is at {link}")
    read = flat(page.text).replace(" ", "")
    for text in texts(model):
        shown += 1
        if seen(text).replace(" ", "") not in read:
            fault(f"{name}: this is not to be read there: {text!r}")
    for text in defaults(model):
        plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace(" ", "")
        if f'"{plain}"' not in read:
            fault(f"{name}: this default is not to be read there: {text!r}")
    for declaration in model["declarations"]:
        if not page.anchors[declaration["qualified_name"]]:
            fault(f"{name}: {declaration['name']} has no anchor")
    layout_check(name, page, model)
print(f"{len(pages)} pages, {links} links, {shown} texts")
sys.exit(1 if faults or not links or not shown else 0)
