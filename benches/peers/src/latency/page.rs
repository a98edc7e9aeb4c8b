//! A page of orders with ten associations, four levels deep: its tables and rows, and what peers without associations make of
//! them.

use std::collections::HashMap;

use crate::data::sum;

/// How many orders the page shows.
pub(crate) const ORDERS: i64 = 20;

macro_rules! row {
    ($name:ident { $($field:ident: $kind:ty,)* }) => {
        #[derive(Clone)]
        #[cfg_attr(feature = "diesel", derive(diesel::prelude::Queryable))]
        pub(crate) struct $name { pub(crate) id: i64, $(pub(crate) $field: $kind,)* }
    };
}

row! { Order { customer_id: i64, } }
row! { Customer { name: String, } }
row! { Address { customer_id: i64, city: String, } }
row! { Item { order_id: i64, product_id: i64, } }
row! { Product { name: String, category_id: i64, } }
row! { Category { name: String, } }
row! { Payment { order_id: i64, cents: i64, } }
row! { Shipment { order_id: i64, code: String, } }
row! { Note { order_id: i64, author_id: i64, } }
row! { Author { name: String, } }
row! { Coupon { code: String, } }

/// What the statements of the page return.
pub(crate) struct Found {
    pub(crate) orders: Vec<Order>,
    pub(crate) customers: Vec<Customer>,
    pub(crate) addresses: Vec<Address>,
    pub(crate) items: Vec<Item>,
    pub(crate) products: Vec<Product>,
    pub(crate) categories: Vec<Category>,
    pub(crate) payments: Vec<Payment>,
    pub(crate) shipments: Vec<Shipment>,
    pub(crate) notes: Vec<Note>,
    pub(crate) authors: Vec<Author>,
    /// With the order that each belongs to.
    pub(crate) coupons: Vec<(i64, Coupon)>,
}

/// An order with all that the page shows.
pub(crate) struct Shown {
    order: Order,
    customer: Option<(Customer, Option<Address>)>,
    items: Vec<(Item, Option<(Product, Option<Category>)>)>,
    payments: Vec<Payment>,
    shipment: Option<Shipment>,
    notes: Vec<(Note, Option<Author>)>,
    coupons: Vec<Coupon>,
}

/// Each key once.
pub(crate) fn distinct<R>(rows: &[R], key: fn(&R) -> i64) -> Vec<i64> {
    let mut keys: Vec<i64> = rows.iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn by_key<R>(rows: Vec<R>, key: fn(&R) -> i64) -> HashMap<i64, R> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

fn grouped<R>(rows: Vec<R>, key: fn(&R) -> i64) -> HashMap<i64, Vec<R>> {
    let mut groups: HashMap<i64, Vec<R>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

impl Found {
    /// What the tree of these rows adds to a checksum.
    pub(crate) fn total(self) -> u64 {
        total(&self.shown())
    }

    fn shown(self) -> Vec<Shown> {
        let mut customers = by_key(self.customers, |row| row.id);
        let mut addresses = by_key(self.addresses, |row| row.customer_id);
        let products = by_key(self.products, |row| row.id);
        let categories = by_key(self.categories, |row| row.id);
        let authors = by_key(self.authors, |row| row.id);
        let mut shipments = by_key(self.shipments, |row| row.order_id);
        let mut items = grouped(self.items, |row| row.order_id);
        let mut payments = grouped(self.payments, |row| row.order_id);
        let mut notes = grouped(self.notes, |row| row.order_id);
        let mut coupons = grouped(self.coupons, |row| row.0);
        let mut shared: HashMap<i64, (Customer, Option<Address>)> = HashMap::new();
        let mut shown = Vec::with_capacity(self.orders.len());
        for order in self.orders {
            let id = order.customer_id;
            if let Some(customer) = customers.remove(&id) {
                shared.insert(id, (customer, addresses.remove(&id)));
            }
            let product = |item: Item| {
                let product = products.get(&item.product_id).cloned();
                (item, product.map(|product| (product.clone(), categories.get(&product.category_id).cloned())))
            };
            let author = |note: Note| {
                let author = authors.get(&note.author_id).cloned();
                (note, author)
            };
            shown.push(Shown {
                customer: shared.get(&id).cloned(),
                items: items.remove(&order.id).unwrap_or_default().into_iter().map(product).collect(),
                payments: payments.remove(&order.id).unwrap_or_default(),
                shipment: shipments.remove(&order.id),
                notes: notes.remove(&order.id).unwrap_or_default().into_iter().map(author).collect(),
                coupons: coupons.remove(&order.id).unwrap_or_default().into_iter().map(|row| row.1).collect(),
                order,
            });
        }
        shown
    }
}

/// What a page adds to a checksum.
pub(crate) fn total(shown: &[Shown]) -> u64 {
    let mut all = Vec::new();
    for one in shown {
        let owner = one.order.id;
        all.push(sum(0, &[owner, one.order.customer_id], &[]));
        if let Some((customer, address)) = &one.customer {
            all.push(sum(owner, &[customer.id], &[&customer.name]));
            all.extend(address.as_ref().map(|row| sum(customer.id, &[row.id], &[&row.city])));
        }
        for (item, product) in &one.items {
            all.push(sum(owner, &[item.id], &[]));
            if let Some((product, category)) = product {
                all.push(sum(item.id, &[product.id], &[&product.name]));
                all.extend(category.as_ref().map(|row| sum(product.id, &[row.id], &[&row.name])));
            }
        }
        all.extend(one.payments.iter().map(|row| sum(owner, &[row.id, row.cents], &[])));
        all.extend(one.shipment.iter().map(|row| sum(owner, &[row.id], &[&row.code])));
        for (note, author) in &one.notes {
            all.push(sum(owner, &[note.id], &[]));
            all.extend(author.as_ref().map(|row| sum(note.id, &[row.id], &[&row.name])));
        }
        all.extend(one.coupons.iter().map(|row| sum(owner, &[row.id], &[&row.code])));
    }
    all.into_iter().fold(0, u64::wrapping_add)
}
