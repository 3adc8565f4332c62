package connect

import "cmp"

// Item is one line of a subscription. A change request lists them all: what it
// changes is where Quantity differs from OldQuantity, and 0 takes an item away.
type Item struct {
	ID       string // older ones are written with underscores
	GlobalID string // the same with dashes; ID where Connect does not give it
	MPN      string // the vendor's own name
	Name     string
	ItemType string // Reservation or PPU
	Type     string // unit of measure
	Period   string // Monthly, Yearly, OneTime, …

	Quantity    Quantity
	OldQuantity Quantity // before this request

	Params Params
}

func (o object) items(key string) []Item {
	var items []Item
	for _, item := range o.list(key) {
		items = append(items, Item{
			ID:          item.text("id"),
			GlobalID:    cmp.Or(item.text("global_id"), item.text("id")),
			MPN:         item.text("mpn"),
			Name:        cmp.Or(item.text("display_name"), item.text("name")),
			ItemType:    item.text("item_type"),
			Type:        item.text("type"),
			Period:      item.text("period"),
			Quantity:    Quantity(item.text("quantity")),
			OldQuantity: Quantity(item.text("old_quantity")),
			Params:      item.params("params"),
		})
	}
	return items
}
