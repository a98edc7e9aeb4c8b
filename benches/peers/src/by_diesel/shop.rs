//! Page, saves and transactions as Diesel's guide writes them. It has no recursive statement.

diesel::table! { orders (id) { id -> BigInt, customer_id -> BigInt, } }
diesel::table! { customers (id) { id -> BigInt, name -> Text, } }
diesel::table! { addresses (id) { id -> BigInt, customer_id -> BigInt, city -> Text, } }
diesel::table! { items (id) { id -> BigInt, order_id -> BigInt, product_id -> BigInt, } }
diesel::table! { products (id) { id -> BigInt, name -> Text, category_id -> BigInt, } }
diesel::table! { categories (id) { id -> BigInt, name -> Text, } }
diesel::table! { payments (id) { id -> BigInt, order_id -> BigInt, cents -> BigInt, } }
diesel::table! { shipments (id) { id -> BigInt, order_id -> BigInt, code -> Text, } }
diesel::table! { notes (id) { id -> BigInt, order_id -> BigInt, author_id -> BigInt, } }
diesel::table! { authors (id) { id -> BigInt, name -> Text, } }
diesel::table! { coupons (id) { id -> BigInt, code -> Text, } }
diesel::table! { coupons_orders (coupon_id, order_id) { coupon_id -> BigInt, order_id -> BigInt, } }
diesel::table! { parcels (id) { id -> BigInt, code -> Text, weight -> BigInt, } }
diesel::joinable!(coupons_orders -> coupons (coupon_id));
diesel::allow_tables_to_appear_in_same_query!(coupons_orders, coupons);

/// A row that is saved.
pub(crate) type Parcel = (i64, String, i64);

/// `ShopOnConnection`, over a connection of this type. Inserting differs: `insert` and `insert_all` are functions beside it.
macro_rules! shop_on_connection {
    ($connection:ty) => {
        pub(crate) struct ShopOnConnection {
            pub(crate) connection: $connection,
            pub(crate) weight: i64,
        }

        impl crate::latency::Shop for ShopOnConnection {
            fn does(&self, case: crate::latency::Case) -> bool {
                !matches!(case, crate::latency::Case::Tree(_))
            }

            fn run(&mut self, case: crate::latency::Case) -> Outcome<u64> {
                use crate::latency::{Case, SAVED};
                self.weight += 1;
                let (connection, weight) = (&mut self.connection, self.weight);
                match case {
                    Case::Page => return Ok(page(connection)?),
                    Case::Inserts => {
                        for weight in 0..SAVED as i64 {
                            insert(connection, weight)?;
                        }
                    }
                    Case::Updates => updates(connection, weight)?,
                    Case::TransactionOfThree => connection.transaction(|connection| {
                        use crate::by_diesel::shop::{Parcel, parcels};
                        let read: Parcel = parcels::table.find(1).first(connection)?;
                        diesel::update(parcels::table.find(1))
                            .set(parcels::weight.eq(read.2 + 1))
                            .execute(connection)?;
                        insert(connection, weight).map(drop)
                    })?,
                    Case::TransactionOfTwenty => connection.transaction(|connection| updates(connection, weight))?,
                    Case::InsertAll => drop(insert_all(connection, 0..SAVED as i64)?),
                    Case::Tree(_) | Case::Usual(_) => {}
                }
                Ok(0)
            }
        }

        fn updates(connection: &mut $connection, weight: i64) -> QueryResult<()> {
            use crate::by_diesel::shop::parcels;
            for id in 1..=crate::latency::SAVED as i64 {
                diesel::update(parcels::table.find(id)).set(parcels::weight.eq(weight)).execute(connection)?;
            }
            Ok(())
        }

        fn page(connection: &mut $connection) -> QueryResult<u64> {
            use crate::by_diesel::shop::{
                addresses, authors, categories, coupons, coupons_orders, customers, items, notes, orders, payments,
                products, shipments,
            };
            use crate::latency::page::{Coupon, Found, Item, Note, ORDERS, Order, Product, distinct};
            let found: Vec<Order> = orders::table.order(orders::id).limit(ORDERS).load(connection)?;
            let keys: Vec<i64> = found.iter().map(|order| order.id).collect();
            let customer_ids = distinct(&found, |order| order.customer_id);
            let of_items: Vec<Item> = items::table
                .filter(items::order_id.eq_any(&keys))
                .order((items::order_id, items::id))
                .load(connection)?;
            let product_ids = distinct(&of_items, |item| item.product_id);
            let of_products: Vec<Product> =
                products::table.filter(products::id.eq_any(&product_ids)).load(connection)?;
            let category_ids = distinct(&of_products, |product| product.category_id);
            let of_notes: Vec<Note> = notes::table
                .filter(notes::order_id.eq_any(&keys))
                .order((notes::order_id, notes::id))
                .load(connection)?;
            let author_ids = distinct(&of_notes, |note| note.author_id);
            let of_coupons: Vec<(i64, Coupon)> = coupons_orders::table
                .inner_join(coupons::table)
                .filter(coupons_orders::order_id.eq_any(&keys))
                .order((coupons_orders::order_id, coupons::id))
                .select((coupons_orders::order_id, (coupons::id, coupons::code)))
                .load(connection)?;
            let found = Found {
                orders: found,
                customers: customers::table.filter(customers::id.eq_any(&customer_ids)).load(connection)?,
                addresses: addresses::table.filter(addresses::customer_id.eq_any(&customer_ids)).load(connection)?,
                items: of_items,
                products: of_products,
                categories: categories::table.filter(categories::id.eq_any(&category_ids)).load(connection)?,
                payments: payments::table
                    .filter(payments::order_id.eq_any(&keys))
                    .order((payments::order_id, payments::id))
                    .load(connection)?,
                shipments: shipments::table.filter(shipments::order_id.eq_any(&keys)).load(connection)?,
                notes: of_notes,
                authors: authors::table.filter(authors::id.eq_any(&author_ids)).load(connection)?,
                coupons: of_coupons,
            };
            Ok(found.total())
        }
    };
}

pub(crate) use shop_on_connection;
