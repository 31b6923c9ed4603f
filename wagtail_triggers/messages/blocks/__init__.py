"""What a mail is built of. A kind of block is one file; `docs/ADDING_BLOCKS.md` shows one."""

from .base import Mail, MailBlock, Piece
from .registry import register_block
from .writing import attribute, escaped, plain

__all__ = ["Mail", "MailBlock", "Piece", "attribute", "escaped", "plain", "register_block"]
