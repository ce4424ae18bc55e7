"""Numbers as people write them on a command line: 1e5 atoms, pi/2, 2*T90."""

import ast
import math
import operator

OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
LONGEST = 60  # characters
NAMES = {"pi": math.pi, "inf": math.inf, "nan": math.nan}


def number(text, **names):
    """Return the number that a text means: digits, pi, other `names`, and + - * / ** ( ).

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return float(text)
    except ValueError:
        pass
    try:
        if len(text) > LONGEST:
            raise ValueError
        value = _value(ast.parse(text.strip(), mode="eval").body, NAMES | names)
    except (ValueError, SyntaxError, TypeError, ArithmeticError, RecursionError, MemoryError):
        raise ValueError(f"{text!r} is not a number, nor a formula of numbers and pi") from None
    return value


def whole(text):
    """Return the integer that a text means, such as 1e5.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return int(text)
    except ValueError:
        value = number(text)
    if not math.isfinite(value) or value != math.floor(value):
        raise ValueError(f"{text!r} is not a whole number")
    return int(value)


def _value(node, names):
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATIONS:
        return OPERATIONS[type(node.op)](_value(node.operand, names))
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        result = OPERATIONS[type(node.op)](_value(node.left, names), _value(node.right, names))
        if isinstance(result, float):
            return result
    raise ValueError
