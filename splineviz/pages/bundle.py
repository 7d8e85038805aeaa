"""The modules of the page's script as one: an inline script of a file that is opened from a disk can import
none."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["bundled"]

_IMPORT = re.compile(r'^import\s+\{([^}]*)\}\s+from\s+"\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|class|const|let)\b)", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_NAME = re.compile(r"^(?:async\s+)?(?:function\*?|class|const|let)\s+([\w$]+)", re.MULTILINE)


def bundled(entry: str, read: Callable[[str], str]) -> str:
    """A module with all that it imports, each before those that import it, and nothing imported or exported.

    Modules import names from ``"./other.js"`` and export what they declare, and no two declare one name.

    Parameters
    ----------
    entry
        The module that begins.
    read
        The text of a module, by name.

    Raises
    ------
    ValueError
        If modules import each other in a circle, declare one name twice, import one that is not there, or
        import and export in another way.

    Examples
    --------
    >>> modules = {"two.js": "export const two = 2;\\n"}
    >>> modules["main.js"] = 'import { two } from "./two.js";\\nalert(two);\\n'
    >>> print(bundled("main.js", modules.__getitem__), end="")
    // two.js
    const two = 2;
    // main.js
    alert(two);
    """
    done, under_way, names = dict[str, str](), list[str](), dict[str, str]()

    def add(module: str) -> None:
        if module in under_way:
            raise ValueError(f"{' imports '.join([*under_way, module])}")
        if module in done:
            return
        under_way.append(module)
        text = read(module)
        for words, other in _IMPORT.findall(text):
            add(other)
            for word in filter(None, map(str.strip, words.split(","))):
                if names.get(word) != other:
                    raise ValueError(f"{module} imports {word} from {other}, which does not declare it")
        text = _EXPORT.sub("", _IMPORT.sub("", text))
        if other_way := _OTHER.search(text):
            raise ValueError(f"{module} has a statement that cannot be bundled: {other_way[0]}")
        for name in _NAME.findall(text):
            if names.setdefault(name, module) != module:
                raise ValueError(f"{name} is declared in {names[name]} and in {module}")
        done[under_way.pop()] = text

    add(entry)
    return "".join(f"// {module}\n{text}" for module, text in done.items())
