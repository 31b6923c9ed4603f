# ruff: noqa: E501 - prose is easier to write and to translate unbroken
"""The wares: four shelves and what stands on them."""

from __future__ import annotations

from typing import NamedTuple


class Ware(NamedTuple):
    """One article."""

    code: str
    name: str
    price: str
    unit: str
    summary: str
    text: str
    details: str
    favourite: bool = False


class Shelf(NamedTuple):
    """One category, with the article whose picture stands for it."""

    slug: str
    title: str
    lead: str
    picture: str
    wares: tuple[Ware, ...]


TEAS = (
    Ware(
        "TEA-101",
        "Harbour Breakfast",
        "9.50",
        "100 g tin",
        "Assam and Ceylon, strong enough for the early ferry.",
        "Malty, brisk and the colour of a new penny. Made to stand up to milk, to rain on the window and to the first hour of the day.",
        "Origin: Assam and Uva\nWater: 100 °C\nSteep: 4 minutes\nCaffeine: plenty",
        True,
    ),
    Ware(
        "TEA-102",
        "Earl of the Quay",
        "10.20",
        "100 g tin",
        "Black tea with true bergamot, and nothing that shouts.",
        "A light Ceylon scented with oil pressed from the peel of Calabrian bergamot. Good at four o'clock, better with a slice of something buttery.",
        "Origin: Dimbula, with bergamot from Calabria\nWater: 95 °C\nSteep: 3 minutes\nCaffeine: some",
    ),
    Ware(
        "TEA-103",
        "First Flush Sencha",
        "14.80",
        "80 g pouch",
        "The first green leaves of the year, grassy and sweet.",
        "Steamed within hours of picking. Use water that has cooled a little, and the cup turns out soft, with a taste of fresh peas and the sea.",
        "Origin: Uji, Japan\nWater: 70 °C\nSteep: 1 minute, three times over\nCaffeine: some",
        True,
    ),
    Ware(
        "TEA-104",
        "Mountain Milk Oolong",
        "16.50",
        "80 g tin",
        "Rolled by hand at 1,600 metres; tastes of cream, has none in it.",
        "Pearls of leaf that open slowly through five or six infusions. Flowers first, then butter, then a long cool sweetness.",
        "Origin: Alishan, Taiwan\nWater: 90 °C\nSteep: 1 minute, many times\nCaffeine: some",
    ),
    Ware(
        "TEA-105",
        "Silver Fog",
        "18.00",
        "50 g flask",
        "White tips for quiet mornings when the bay cannot be seen.",
        "Nothing but the downy buds, dried in the air. Pale as rainwater, and there is more in it than you would think: melon, hay, honey.",
        "Origin: Fuding, China\nWater: 80 °C\nSteep: 5 minutes\nCaffeine: a little",
    ),
    Ware(
        "TEA-106",
        "Garden Mint",
        "7.90",
        "60 g pouch",
        "Whole leaves of peppermint and spearmint from two fields inland.",
        "Cut in the morning, dried in the shade, left in large pieces so that the oil stays where it should. Wakes the head and settles the stomach.",
        "Origin: County Wexford\nWater: 100 °C\nSteep: 6 minutes\nCaffeine: none",
    ),
    Ware(
        "TEA-107",
        "Market Chai",
        "8.90",
        "120 g tin",
        "Black tea with cardamom, ginger, cinnamon and star anise.",
        "Simmer it in half milk and half water, sweeten more than you think right, pour it from a height. The kitchen will smell of it until evening.",
        "Origin: Assam, spices from Kerala\nWater: simmered\nSteep: 8 minutes\nCaffeine: plenty",
        True,
    ),
    Ware(
        "TEA-108",
        "Red Kettle Rooibos",
        "8.40",
        "100 g tin",
        "Red bush with vanilla and orange peel, for after dark.",
        "Round, warm and without a trace of caffeine. Children like it cold; we like it with the last square of chocolate.",
        "Origin: Cederberg, South Africa\nWater: 100 °C\nSteep: 7 minutes\nCaffeine: none",
    ),
    Ware(
        "TEA-109",
        "Boathouse Smoke",
        "11.40",
        "100 g tin",
        "Lapsang dried over pine, like a coat after a bonfire.",
        "You will love it or open a window. A pinch in the pot with Harbour Breakfast is the best bad idea we know.",
        "Origin: Wuyi, China\nWater: 95 °C\nSteep: 3 minutes\nCaffeine: some",
    ),
)

POTS = (
    Ware(
        "POT-201",
        "Pebble Teapot",
        "58.00",
        "0.9 l",
        "Speckled stoneware, sea-green glaze, a handle of bamboo.",
        "Thrown by Maeve in the yard behind the shop. It pours without a drip, which took her four years, and it keeps three mugs hot while you read the paper.",
        "Material: stoneware, bamboo\nHolds: 0.9 litres\nCare: by hand, please",
        True,
    ),
    Ware(
        "POT-202",
        "Side-handle Kyusu",
        "64.00",
        "0.35 l",
        "Red clay with a side handle, for small pots poured often.",
        "Unglazed inside, so it learns the tea you drink most. The strainer is pierced into the wall of the pot: no wire, no bag.",
        "Material: red clay\nHolds: 0.35 litres\nCare: rinse with hot water only",
    ),
    Ware(
        "POT-203",
        "Slow Morning Mug",
        "24.00",
        "0.4 l",
        "A big blue mug with an ear for three fingers.",
        "Heavy at the foot, thin at the lip, and large enough that you need not get up again at once. No two are glazed alike.",
        "Material: stoneware\nHolds: 0.4 litres\nCare: dishwasher is fine",
        True,
    ),
    Ware(
        "POT-204",
        "Two-tone Tumblers",
        "36.00",
        "set of 2",
        "A pair of cups without handles, dipped opposite ways.",
        "One light and one dark, each with the other's colour at its rim. They stack, they warm the hands, they make a good present.",
        "Material: porcelain\nHolds: 0.22 litres each\nCare: dishwasher is fine",
    ),
    Ware(
        "POT-205",
        "Tide Tea Bowl",
        "28.00",
        "0.5 l",
        "A wide bowl for whisked tea; the glaze runs like an ebb.",
        "Wide enough for the whisk, deep enough for porridge. The dark line is where the glaze stopped by itself.",
        "Material: stoneware\nHolds: 0.5 litres\nCare: by hand, please",
    ),
    Ware(
        "POT-206",
        "Little Gaiwan",
        "34.00",
        "0.15 l",
        "Lidded porcelain cup with a painted branch of quince.",
        "Leaf goes in, water goes in, the lid holds the leaf back. The simplest way to brew, and the one that shows the most.",
        "Material: porcelain\nHolds: 0.15 litres\nCare: by hand, please",
    ),
    Ware(
        "POT-207",
        "Gull Milk Jug",
        "22.00",
        "0.3 l",
        "A cream jug with a proper beak.",
        "Leans forward a little, as though it had seen a chip. Pours milk, gravy or custard with equal conviction.",
        "Material: stoneware\nHolds: 0.3 litres\nCare: dishwasher is fine",
    ),
)

TOOLS = (
    Ware(
        "TOL-301",
        "Gooseneck Kettle",
        "79.00",
        "1 l",
        "Steel kettle with a slow, exact spout.",
        "For the hob, any hob. The thin neck puts the water where you want it, which matters less than people say and is more pleasant than they say.",
        "Material: steel, walnut\nHolds: 1 litre\nCare: descale twice a year",
        True,
    ),
    Ware(
        "TOL-302",
        "Basket Strainer",
        "12.50",
        "fits most mugs",
        "A deep basket that gives the leaf room.",
        "Two wings hold it on the rim of any mug. Fine enough for rooibos, tall enough for a whole pot of oolong.",
        "Material: stainless steel\nSize: 7.5 cm deep\nCare: dishwasher is fine",
    ),
    Ware(
        "TOL-303",
        "Bamboo Whisk",
        "17.00",
        "80 tines",
        "Cut from one piece of bamboo, for foam like velvet.",
        "Soak it a minute before use, whisk from the wrist, dry it standing. It lasts about a year of mornings.",
        "Material: bamboo\nTines: 80\nCare: water only",
    ),
    Ware(
        "TOL-304",
        "Olive-wood Scoop",
        "9.80",
        "18 cm",
        "One scoop, one pot.",
        "Turned from prunings of old olive trees, so the grain goes where it likes. Holds five grams of most teas, three of the fluffy ones.",
        "Material: olive wood\nLength: 18 cm\nCare: wipe and oil now and then",
    ),
    Ware(
        "TOL-305",
        "Three-minute Sandglass",
        "14.00",
        "3 minutes",
        "No bell, no battery: just long enough.",
        "Turn it when you pour. By the time the sand is through you will have looked out of the window, which is the point.",
        "Material: glass, beech\nTime: 3 minutes\nHeight: 12 cm",
    ),
    Ware(
        "TOL-306",
        "Cherry-bark Caddy",
        "42.00",
        "100 g",
        "A caddy covered with cherry bark; the lid closes by itself.",
        "Set the lid on top and watch it sink, slowly, on its own breath. Tea keeps in it for a year.",
        "Material: cherry bark, tin\nHolds: 100 g\nCare: a dry cloth",
    ),
    Ware(
        "TOL-307",
        "Ferry Row Tea Towel",
        "13.50",
        "50 by 70 cm",
        "Washed linen with a stripe the blue of the boats.",
        "Dries a pot in one go and hangs well on a hook. Woven forty miles from here, softer after each wash.",
        "Material: linen\nSize: 50 by 70 cm\nCare: 60 °C",
    ),
)

PANTRY = (
    Ware(
        "PAN-401",
        "Heather Honey",
        "8.60",
        "340 g",
        "Dark, almost bitter honey from the hills in August.",
        "Set so firmly that it stands on the spoon. From Declan's forty hives; when it is gone, it is gone until next year.",
        "Origin: Comeragh Mountains\nContains: honey",
        True,
    ),
    Ware(
        "PAN-402",
        "Bitter Orange Marmalade",
        "6.90",
        "300 g",
        "Thick-cut Seville oranges, cooked in small pans each January.",
        "More peel than jelly and more orange than sugar. The pan was bought at an auction in 1974 and has views of its own.",
        "Contains: oranges, sugar, lemon",
    ),
    Ware(
        "PAN-403",
        "Sea-salt Shortbread",
        "5.80",
        "180 g",
        "Butter, flour, sugar, and a few flakes of salt.",
        "Baked until the edges just turn. Four things in it, one of which is butter, and a good deal of that.",
        "Contains: wheat, butter, sugar, sea salt",
        True,
    ),
    Ware(
        "PAN-404",
        "Dark Chocolate with Black Tea",
        "6.40",
        "90 g",
        "70 % chocolate with Harbour Breakfast ground into it.",
        "The tea comes late, after the fruit, and stays. Six squares are a portion; nobody has yet stopped there.",
        "Contains: cocoa, sugar, tea\nCocoa: 70 %",
    ),
    Ware(
        "PAN-405",
        "Candied Ginger",
        "7.20",
        "220 g jar",
        "Soft cubes of ginger in a jar worth keeping.",
        "Hot, sweet, good on a boat. Chop it into scones, or drop a cube into the cup and let it sink.",
        "Contains: ginger, sugar",
    ),
    Ware(
        "PAN-406",
        "Oat and Walnut Biscuits",
        "5.50",
        "200 g",
        "Large, plain, honest; made to be dunked.",
        "Tested for the full three minutes of the sandglass. It holds.",
        "Contains: oats, wheat, butter, walnuts",
    ),
    Ware(
        "PAN-407",
        "Rock-sugar Sticks",
        "4.80",
        "5 sticks",
        "Amber sugar grown on a stick, to stir with.",
        "They tick quietly as they melt. One is about two spoons, and much better to look at.",
        "Contains: cane sugar",
    ),
)

SHELVES = (
    Shelf(
        "teas",
        "Loose-leaf teas",
        "Nine teas that we drink ourselves. Bought from people we can telephone, packed here on Thursdays.",
        "TEA-101",
        TEAS,
    ),
    Shelf(
        "pots-and-cups",
        "Pots and cups",
        "Thrown, dipped and fired a few doors down. Each has been poured from before it is sold.",
        "POT-201",
        POTS,
    ),
    Shelf(
        "brewing-tools",
        "Brewing tools",
        "Few things, and those that last. Nothing here needs charging.",
        "TOL-301",
        TOOLS,
    ),
    Shelf("pantry", "Pantry", "What goes beside the cup.", "PAN-403", PANTRY),
)
