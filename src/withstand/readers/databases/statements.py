"""Is a query one reading statement? Told from its text, before any database sees it.

The first of two walls; the second is the database: a read-only transaction, a locked configuration,
an authoriser. Text is split into words as SQL does it, so that what stands in quotes or comments
neither hides a statement nor looks like one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

READING = ("select", "with", "values", "table", "from")
_TOKEN = re.compile(
    r"""
    (?P<comment> --[^\n]* )
    | (?P<opened> /\* )
    | (?P<escaped> [eE]'(?:[^'\\]|''|\\.)*' )
    | (?P<unicode> [uU]&["'] )
    | (?P<text> '(?:[^']|'')*' )
    | (?P<dollar> \$(?P<tag>(?:[A-Za-z_][A-Za-z0-9_]*)?)\$.*?\$(?P=tag)\$ )
    | (?P<quoted> "(?:[^"]|"")*" | `[^`]*` )
    | (?P<word> [^\W\d][\w$]* )
    | (?P<stray> ['"`] )
    | (?P<mark> [();] )
    | (?P<other> \d[\w.]* | . )
    """,
    re.VERBOSE | re.DOTALL,
)
# Functions that write, stop others, leave the database or run text as a query of their own: a
# read-only transaction does not hold them all back from a role with rights.
_FUNCTIONS = re.compile(
    r"dblink\w*|lo_\w+|loread|lowrite|pg_(read|ls|file|advisory|try_advisory|logical|create"
    r"|drop|replication|backup|start_backup|stop_backup|wal|switch|promote|import)_?\w*"
    r"|pg_stat_file|pg_stat_reset\w*|pg_(terminate|cancel)_backend|pg_(reload_conf|rotate_logfile\w*)"
    r"|pg_notify|pg_export_snapshot|set_config|setval|nextval"
    r"|(query|cursor|table|schema|database)_to_xml\w*|ts_stat|ts_rewrite|crosstab\w*|connectby"
    r"|load_extension|query|query_table|read_\w+|scan_\w+|\w+_scan|glob|getenv|writefile|readfile"
    r"|fts3_tokenizer|edit"
)


@dataclass(frozen=True, slots=True)
class _Word:
    kind: str
    text: str


def clean_query(query: str) -> str:
    """Return a query without the semicolon at its end.

    Examples
    --------
    >>> clean_query(" select 1 ; ")
    'select 1'
    """
    return query.strip().rstrip(";").strip()


def fault_of(query: str) -> str | None:
    """Return why a query is not one reading statement, None if it is.

    Examples
    --------
    >>> fault_of("select node, 'a;b' as product from parts -- all; of them")
    >>> fault_of("select 1; drop table parts")
    'more than one statement'
    >>> fault_of("delete from parts")
    "a query begins with select, with, values, table or from, not with 'delete'"
    """
    if "\0" in query:
        return "it holds a zero byte"
    words, fault = _words(clean_query(query))
    if fault is not None:
        return fault
    if not words:
        return "it is empty"
    return _shape(words) or _called(words)


def _words(query: str) -> tuple[list[_Word], str | None]:
    """Return the words of a query without its comments, or what keeps it from being read."""
    words: list[_Word] = []
    at = 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        kind = match.lastgroup if match else None
        if match is None or kind is None:  # the pattern takes any character
            return words, "it cannot be read"
        at = match.end()
        if kind == "tag":
            kind = "dollar"
        if kind == "opened":
            end = query.find("*/", at)
            if end < 0 or "/*" in query[at:end]:
                return words, "a comment has no end, or another inside it"
            at = end + 2
        elif kind == "stray":
            return words, "a quotation mark is not closed"
        elif kind == "unicode":
            return words, "names and texts written U&'...' are not taken"
        elif kind != "comment" and not match[0].isspace():
            words.append(_Word(kind, match[0]))
    return words, None


def _shape(words: list[_Word]) -> str | None:
    """Return what is wrong with the first word, the semicolons or the brackets."""
    if any(w.text == ";" and w.kind == "mark" for w in words):
        return "more than one statement"
    first = next((w for w in words if w.text != "("), words[0])
    if first.kind != "word" or first.text.casefold() not in READING:
        known = f"{', '.join(READING[:-1])} or {READING[-1]}"
        return f"a query begins with {known}, not with '{first.text[:20]}'"
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word.text, 0) if word.kind == "mark" else 0
        if depth < 0:
            break
    return "its brackets do not match" if depth else None


def _called(words: list[_Word]) -> str | None:
    """Return what is wrong with the functions called."""
    for word, after in pairwise(words):
        if word.kind in ("word", "quoted") and after.text == "(":
            name = word.text.strip('"`').casefold()
            if _FUNCTIONS.fullmatch(name):
                return f"the function {name[:40]} does more than read tables"
    return None
