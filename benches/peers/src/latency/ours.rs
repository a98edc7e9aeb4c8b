//! Page, saves, transactions and trees through assoc, as an application writes them.

use std::sync::Arc;

use assoc_repo::Repo;
use assoc_repo::prelude::*;
use tokio::runtime::Runtime;

use super::page::ORDERS;
use super::tables::Tree;
use super::{Case, SAVED, Shop};
use crate::Outcome;
use crate::data::sum;

macro_rules! model {
    ($name:ident { $($(#[$field_of:meta])* $field:ident: $kind:ty,)* }) => {
        #[derive(Model, Debug, Clone)]
        pub struct $name { pub id: i64, $($(#[$field_of])* pub $field: $kind,)* }
    };
}

model! { Order {
    customer_id: i64,
    #[belongs_to] customer: BelongsTo<Customer>,
    #[has_many] items: HasMany<Item>,
    #[has_many] payments: HasMany<Payment>,
    #[has_one] shipment: HasOne<Option<Shipment>>,
    #[has_many] notes: HasMany<Note>,
    #[has_and_belongs_to_many] coupons: HasAndBelongsToMany<Coupon>,
} }
model! { Customer {
    name: String,
    #[has_one] address: HasOne<Option<Address>>,
} }
model! { Address { customer_id: i64, city: String, } }
model! { Item {
    order_id: i64,
    product_id: i64,
    #[belongs_to] product: BelongsTo<Product>,
} }
model! { Product {
    name: String,
    category_id: i64,
    #[belongs_to] category: BelongsTo<Category>,
} }
model! { Category { name: String, } }
model! { Payment { order_id: i64, cents: i64, } }
model! { Shipment { order_id: i64, code: String, } }
model! { Note {
    order_id: i64,
    author_id: i64,
    #[belongs_to] author: BelongsTo<Author>,
} }
model! { Author { name: String, } }
model! { Coupon { code: String, } }
model! { Parcel { code: String, weight: i64, } }
model! { Folder {
    parent_id: Option<i64>,
    name: String,
    #[has_many(foreign_key = "parent_id")] folders: HasMany<Folder>,
} }

/// assoc over a driver.
pub(crate) struct OurShop {
    repo: Repo,
    runtime: Arc<Runtime>,
    connections: usize,
    // What an application has read before.
    parcels: Vec<Parcel>,
}

impl OurShop {
    /// With this number of connections.
    pub(crate) fn open(repo: Repo, runtime: Arc<Runtime>, connections: usize) -> Outcome<OurShop> {
        let parcels = Query::<Parcel>::order_by(Parcel::ID.asc()).limit(SAVED as u64);
        let parcels = runtime.block_on(repo.all(parcels))?;
        Ok(OurShop { repo, runtime, connections, parcels })
    }
}

impl Shop for OurShop {
    fn does(&self, _: Case) -> bool {
        true
    }

    fn keep_awake(&mut self) -> Outcome<()> {
        self.runtime.block_on(async {
            let request = |repo: Repo| async move {
                // Long enough to meet the others.
                repo.transaction(async |tx| tx.count(Query::<Author>::new()).await).await
            };
            let requests: Vec<_> = (0..self.connections).map(|_| tokio::spawn(request(self.repo.clone()))).collect();
            for request in requests {
                request.await??;
            }
            Ok(())
        })
    }

    fn run(&mut self, case: Case) -> Outcome<u64> {
        let OurShop { repo, runtime, parcels, .. } = self;
        let ran = runtime.block_on(async {
            match case {
                Case::Page => page(repo).await,
                Case::Inserts => inserts(repo).await,
                Case::Updates => updates(repo, parcels).await,
                Case::TransactionOfThree => of_three(repo, parcels).await,
                Case::TransactionOfTwenty => repo.transaction(async |tx| updates(tx, parcels).await).await,
                Case::InsertAll => {
                    repo.insert_all((0..SAVED as i64).map(new_parcel)).await?;
                    Ok(0)
                }
                Case::Tree(of) => tree(repo, of).await,
                Case::Usual(_) => Ok(0),
            }
        });
        Ok(ran?)
    }
}

fn new_parcel(weight: i64) -> assoc_repo::Changeset<Parcel> {
    Parcel::build().set(Parcel::CODE, "new").set(Parcel::WEIGHT, weight)
}

async fn page(repo: &Repo) -> Result<u64> {
    let shown = (
        Order::CUSTOMER.with(Customer::ADDRESS),
        Order::ITEMS.with(Item::PRODUCT.with(Product::CATEGORY)),
        Order::PAYMENTS,
        Order::SHIPMENT,
        Order::NOTES.with(Note::AUTHOR),
        Order::COUPONS,
    );
    let orders = repo.all(Query::preload(shown).order_by(Order::ID.asc()).limit(ORDERS as u64)).await?;
    let mut all = Vec::new();
    for order in &orders {
        let customer = order.customer()?;
        all.push(sum(0, &[order.id, order.customer_id], &[]));
        all.push(sum(order.id, &[customer.id], &[&customer.name]));
        all.extend(customer.address()?.map(|row| sum(customer.id, &[row.id], &[&row.city])));
        for item in order.items()? {
            let product = item.product()?;
            let category = product.category()?;
            all.push(sum(order.id, &[item.id], &[]));
            all.push(sum(item.id, &[product.id], &[&product.name]));
            all.push(sum(product.id, &[category.id], &[&category.name]));
        }
        all.extend(order.payments()?.iter().map(|row| sum(order.id, &[row.id, row.cents], &[])));
        all.extend(order.shipment()?.map(|row| sum(order.id, &[row.id], &[&row.code])));
        for note in order.notes()? {
            let author = note.author()?;
            all.push(sum(order.id, &[note.id], &[]));
            all.push(sum(note.id, &[author.id], &[&author.name]));
        }
        all.extend(order.coupons()?.iter().map(|row| sum(order.id, &[row.id], &[&row.code])));
    }
    Ok(all.into_iter().fold(0, u64::wrapping_add))
}

async fn inserts(repo: &Repo) -> Result<u64> {
    for weight in 0..SAVED as i64 {
        repo.insert(new_parcel(weight)).await?;
    }
    Ok(0)
}

async fn updates(repo: &Repo, parcels: &mut [Parcel]) -> Result<u64> {
    for parcel in parcels {
        *parcel = repo.update(parcel.change().set(Parcel::WEIGHT, parcel.weight + 1)).await?;
    }
    Ok(0)
}

async fn of_three(repo: &Repo, parcels: &mut [Parcel]) -> Result<u64> {
    let Some(parcel) = parcels.first_mut() else { return Ok(0) };
    *parcel = repo
        .transaction(async |tx| {
            let read = tx.get_or_fail::<Parcel>(parcel.id, Query::new()).await?;
            let updated = tx.update(read.change().set(Parcel::WEIGHT, read.weight + 1)).await?;
            tx.insert(new_parcel(updated.weight)).await?;
            Ok::<_, Error>(updated)
        })
        .await?;
    Ok(0)
}

async fn tree(repo: &Repo, tree: Tree) -> Result<u64> {
    let levels = Folder::FOLDERS.recursive(usize::MAX);
    let folder = repo.get_or_fail::<Folder>(tree.root, Query::preload(levels)).await?;
    total(&folder)
}

fn total(folder: &Folder) -> Result<u64> {
    let own = sum(folder.parent_id.unwrap_or_default(), &[folder.id], &[&folder.name]);
    folder.folders()?.iter().try_fold(own, |all, folder| Ok(all.wrapping_add(total(folder)?)))
}
