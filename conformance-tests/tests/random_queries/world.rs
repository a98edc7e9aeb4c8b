//! Random rows, in a database and in memory.

use assoc_core::dialect::NullOrder;
use assoc_repo::prelude::*;

use crate::Random;
use crate::schema::{Item, ItemTag, Note, Region, Shop, Sorted, Tag, make_tables};

pub(crate) struct World {
    pub(crate) repo: Repo,
    pub(crate) null_order: NullOrder,
    pub(crate) regions: Vec<Region>,
    pub(crate) shops: Vec<Shop>,
    pub(crate) items: Vec<Item>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) links: Vec<(i64, i64)>,
    pub(crate) notes: Vec<Note>,
    pub(crate) next: i64,
    /// Whether items that are gone are not seen.
    pub(crate) hides: bool,
}

macro_rules! insert {
    ($repo:expr, $model:ident, $row:expr, $($column:ident $field:ident),+) => {{
        let row = $row;
        $repo.insert($model::build()$(.set($model::$column, row.$field.clone()))+).await?
    }};
}

impl World {
    pub(crate) async fn new(random: &mut Random, repo: Repo) -> Result<World> {
        make_tables(&repo).await?;
        let null_order = repo.dialect().capabilities().null_order;
        let mut world = World {
            repo,
            null_order,
            regions: Vec::new(),
            shops: Vec::new(),
            items: Vec::new(),
            tags: Vec::new(),
            links: Vec::new(),
            notes: Vec::new(),
            next: 0,
            hides: false,
        };
        let repo = world.repo.clone();
        let filling = repo.transaction(async |tx| world.fill(random, tx).await);
        filling.await?;
        Ok(world)
    }

    async fn fill(&mut self, random: &mut Random, tx: &Repo) -> Result<()> {
        use crate::schema::Code;
        for code in [Code::North, Code::East, Code::South] {
            if random.once_in(4) {
                continue;
            }
            let (name, rank) = (String::some(random), Option::<i64>::some(random));
            let new = Region::build().set(Region::CODE, code).set(Region::NAME, name).set(Region::RANK, rank);
            self.regions.push(tx.insert(new).await?);
        }
        for id in 1..=random.below(5) as i64 {
            let new = Shop::build()
                .set(Shop::ID, id)
                .set(Shop::REGION_CODE, Option::<Code>::some(random))
                .set(Shop::NAME, String::some(random))
                .set(Shop::RANK, Option::<i64>::some(random));
            self.shops.push(tx.insert(new).await?);
        }
        for _ in 0..random.below(14) {
            self.insert_item(random, tx).await?;
        }
        for id in 1..=random.below(5) as i64 {
            let new = Tag::build()
                .set(Tag::ID, id)
                .set(Tag::WORD, String::some(random))
                .set(Tag::RANK, Option::<i64>::some(random));
            self.tags.push(tx.insert(new).await?);
            for item in 1..=self.next {
                if random.once_in(3) {
                    self.links.push((item, id));
                    tx.insert(ItemTag::build().set(ItemTag::ITEM_ID, item).set(ItemTag::TAG_ID, id)).await?;
                }
            }
        }
        for id in 1..=random.below(16) as i64 {
            let kind = [None, Some("Item"), Some("Item"), Some("Shop")][random.below(4)].map(str::to_owned);
            let new = Note::build()
                .set(Note::ID, id)
                .set(Note::ABOUT_ID, Option::<i64>::some(random))
                .set(Note::ABOUT_TYPE, kind)
                .set(Note::BODY, String::some(random))
                .set(Note::RANK, Option::<i64>::some(random))
                .set(Note::HIDDEN, random.once_in(4));
            self.notes.push(tx.insert(new).await?);
        }
        Ok(())
    }

    pub(crate) async fn insert_item(&mut self, random: &mut Random, repo: &Repo) -> Result<()> {
        self.next += 1;
        let mut row = Item::some_columns(random);
        row.id = self.next;
        let inserted = insert!(
            repo, Item, &row, ID id, SHOP_ID shop_id, PARENT_ID parent_id, STATE state, LEVEL level, PRICE price,
            WEIGHT weight, RATIO ratio, NAME name, REMARK remark, DUE due, MADE made, SOLD sold, FLAG flag, RANK rank,
            GONE gone
        );
        if inserted != row {
            return Err(Error::other(format!("{row:?} came back as {inserted:?}")));
        }
        self.items.push(row);
        Ok(())
    }

    pub(crate) async fn delete_item(&mut self, random: &mut Random) -> Result<()> {
        if self.items.is_empty() {
            return Ok(());
        }
        let gone = self.items.remove(random.below(self.items.len()));
        self.repo.execute_raw("DELETE FROM items WHERE id = ?", [Value::Int(gone.id)]).await?;
        Ok(())
    }

    pub(crate) fn shop(&self, item: &Item) -> Option<&Shop> {
        self.shops.iter().find(|shop| Some(shop.id) == item.shop_id)
    }

    pub(crate) fn region(&self, shop: &Shop) -> Option<&Region> {
        self.regions.iter().find(|region| Some(region.code) == shop.region_code)
    }

    /// All rows, for messages.
    pub(crate) fn show(&self) -> String {
        let World { regions, shops, items, tags, links, notes, .. } = self;
        let mut shown = format!("links {links:?}\n");
        for row in regions {
            shown += &format!("{:?} {:?} {:?}\n", row.code, row.name, row.rank);
        }
        for row in shops {
            shown += &format!("shop {} of {:?} {:?} {:?}\n", row.id, row.region_code, row.name, row.rank);
        }
        for row in tags {
            shown += &format!("tag {} {:?} {:?}\n", row.id, row.word, row.rank);
        }
        for row in notes {
            let Note { id, about_id, about_type, body, rank, hidden, .. } = row;
            shown += &format!("note {id} {about_id:?} {about_type:?} {body:?} {rank:?} {hidden}\n");
        }
        for row in items {
            shown += &format!("{}\n", row.shown());
        }
        shown
    }
}

impl Item {
    pub(crate) fn shown(&self) -> String {
        let Item { id, shop_id, parent_id, state, level, price, weight, ratio, .. } = self;
        let Item { name, remark, due, made, sold, flag, rank, gone, .. } = self;
        format!(
            "item {id} shop {shop_id:?} parent {parent_id:?} {state:?} {level:?} {price:?} {weight:?} {ratio} {name:?} \
             {remark:?} {due:?} {made} sold {sold} {flag:?} {rank} gone {gone}"
        )
    }
}
