"""The goods: three invented sellers and their products. Any likeness to a real shop is chance."""

from dataclasses import dataclass

MARKET = "Lanternhall"


@dataclass(frozen=True, slots=True)
class Seller:
    """A seller as the shop presents it; `id` is what Collector counts under."""

    id: str
    name: str
    craft: str


@dataclass(frozen=True, slots=True)
class Product:
    """A product as the shop presents it.

    cents    its price
    appeal   how often it is looked at, beside the others
    days_on_sale  None: for longer than the history goes back
    """

    id: str
    seller: Seller
    title: str
    text: str
    cents: int
    appeal: int
    days_on_sale: int | None = None

    @property
    def price(self) -> str:
        """The price as it is shown."""
        return f"€{self.cents // 100}.{self.cents % 100:02}"

    @property
    def path(self) -> str:
        """Its page, below the shop's own path."""
        return f"p/{self.seller.id}/{self.id}"


CLAY = Seller("klayfold", "Klayfold", "Stoneware, thrown by hand")
LOOM = Seller("ombrelune", "Ombrelune", "Linen and wool, woven slowly")
PAPER = Seller("quillmoth", "Quillmoth", "Paper for notes and letters")
SELLERS = (CLAY, LOOM, PAPER)

PRODUCTS = (
    Product(
        "breakfast-bowl", CLAY, "Speckled breakfast bowl",
        "Deep enough for porridge, wide enough for fruit. The glaze breaks over the rim, so no"
        " two are alike.", 2400, 30,
    ),
    Product(
        "heron-teapot", CLAY, "Heron teapot",
        "A long spout that doesn't drip and a handle for the whole hand. Holds a litre.",
        6800, 18,
    ),
    Product(
        "espresso-cups", CLAY, "Two espresso cups",
        "Thick walls keep a small coffee warm. Stack them, they are made to.", 2900, 14,
    ),
    Product(
        "lemon-press", CLAY, "Lemon press",
        "Press, turn, pour. Goes into the dishwasher with everything else.", 1900, 6,
    ),
    Product(
        "linen-apron", LOOM, "Linen apron",
        "Washed twice before it leaves the workshop, so it hangs soft from the first day.",
        5400, 24,
    ),
    Product(
        "sea-towel", LOOM, "Striped sea towel",
        "Dries fast and packs small: a flat weave with a short fringe.", 3900, 28,
    ),
    Product(
        "wool-throw", LOOM, "Wool throw",
        "Undyed wool of two flocks, woven into a large check. For sofas and cold terraces.",
        11900, 12,
    ),
    Product(
        "market-tote", LOOM, "Market tote",
        "Carries ten kilos of potatoes and folds into its own pocket.", 2600, 16, 12,
    ),
    Product(
        "dot-notebook", PAPER, "Dot-grid notebook",
        "One hundred and sixty pages that lie flat, sewn with thread in the spine's colour.",
        1700, 26,
    ),
    Product(
        "herb-postcards", PAPER, "Eight herb postcards",
        "Drawn from the garden behind the workshop, printed on thick uncoated card.", 1200, 15,
    ),
    Product(
        "pocket-calendar", PAPER, "Pocket calendar",
        "A week on two pages, with room in the margin for what was not planned.", 1400, 9,
    ),
    Product(
        "wax-crayons", PAPER, "Twelve wax crayons",
        "Earth colours in beeswax. They don't smudge, and they smell a little of honey.", 1600, 4,
    ),
)  # fmt: skip


def find(seller: str, product: str) -> Product | None:
    """Return the product of that seller and name, or None."""
    for each in PRODUCTS:
        if (each.seller.id, each.id) == (seller, product):
            return each
    return None
