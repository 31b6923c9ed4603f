"""Links to a shop's pages on social networks."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import BlockGroup, CharBlock, ChoiceBlock, StreamBlock, StructBlock, URLBlock

NETWORKS: Final = (
    ("instagram", "Instagram"),
    ("facebook", "Facebook"),
    ("tiktok", "TikTok"),
    ("youtube", "YouTube"),
    ("pinterest", "Pinterest"),
    ("x", "X"),
    ("threads", "Threads"),
    ("mastodon", "Mastodon"),
    ("bluesky", "Bluesky"),
    ("linkedin", "LinkedIn"),
    ("whatsapp", "WhatsApp"),
    ("telegram", "Telegram"),
    ("wechat", "WeChat"),
    ("weibo", "Weibo"),
    ("xiaohongshu", "Xiaohongshu"),
    ("vk", "VK"),
    ("other", _("Other")),
)


class LinkBlock(StructBlock):
    """One page on one network."""

    network = ChoiceBlock(label=_("Network"), choices=NETWORKS, default="instagram")
    url = URLBlock(label=_("Address"))
    label = CharBlock(
        label=_("Name"), required=False, max_length=40, help_text=_("Empty: the network's.")
    )

    class Meta:
        icon = "link-external"
        label = _("Link")
        label_format = "{network}"
        form_layout = BlockGroup(children=["network", "url"], settings=["label"])


def links_block() -> StreamBlock:
    """A stream of links."""
    return StreamBlock([("link", LinkBlock())], max_num=8)


def links_of(stream: Any) -> tuple[tuple[str, str], ...]:
    """The name and the address of each link of a stream."""
    names = dict(NETWORKS)
    return tuple(
        (str(one.value.get("label") or names.get(one.value["network"], "")), one.value["url"])
        for one in stream or ()
        if one.value.get("url")
    )
