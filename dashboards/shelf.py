"""Shelf: whose numbers are asked for. Pure."""

from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["seller", "product"]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A seller's own figure, or that of some of the seller's products.

    products   None for the seller as a whole: a visitor of three products is one visitor
    """

    seller: str
    products: frozenset[str] | None = None

    @property
    def unit(self) -> Unit:
        """What is distinct: visitors per `seller` and day, or per `product` and day."""
        return "seller" if self.products is None else "product"

    def only(self, product: str | None) -> "Shelf":
        """Return the shelf with one product, which stays empty for one that isn't on it."""
        if product is None:
            return self
        wanted = frozenset({product})
        return Shelf(self.seller, wanted if self.products is None else wanted & self.products)

    def has(self, product: str) -> bool:
        """Return whether a product of the seller's is on it."""
        return self.products is None or product in self.products

    @property
    def parameters(self) -> dict[str, Any]:
        """The shelf as query parameters."""
        return {
            "seller": self.seller,
            "limited": int(self.products is not None),
            "products": sorted(self.products or ()),
        }


EVERYBODY = Shelf("")  # No seller has an empty name; only the marketplace's questions take it.
