"""PHP's serialised form for the few shapes the CRM stores: lists of text, maps of text to integer."""

from collections.abc import Iterable, Mapping


def php_list(items: Iterable[str]) -> str:
    """Return the serialised list.

    >>> php_list(["1", "stripe"])
    'a:2:{i:0;s:1:"1";i:1;s:6:"stripe";}'
    """
    texts = tuple(items)
    body = "".join(f"i:{at};{_text(text)}" for at, text in enumerate(texts))
    return f"a:{len(texts)}:{{{body}}}"


def php_flags(flags: Mapping[str, int]) -> str:
    """Return a serialised map of names to integers.

    >>> php_flags({"a": 1})
    'a:1:{s:1:"a";i:1;}'
    """
    return f"a:{len(flags)}:{{{''.join(f'{_text(name)}i:{value};' for name, value in flags.items())}}}"


def php_lists(groups: Mapping[str, Iterable[str]]) -> str:
    """Return a serialised map of names to lists of text.

    >>> php_lists({"a": ["b"]})
    'a:1:{s:1:"a";a:1:{i:0;s:1:"b";}}'
    """
    return f"a:{len(groups)}:{{{''.join(_text(name) + php_list(items) for name, items in groups.items())}}}"


def _text(text: str) -> str:
    return f's:{len(text.encode())}:"{text}";'
