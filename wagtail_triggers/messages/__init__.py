"""Say it: templates in hardened Liquid, their compilation and rendering, and the channels."""
