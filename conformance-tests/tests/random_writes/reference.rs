//! The tables in memory, row by row, and what a destroy makes of them: written from the documentation, and not from the
//! plan. A counter is what counting says.

use std::collections::{BTreeMap, BTreeSet};

/// By row and counter.
pub(crate) type Counters = BTreeMap<String, i64>;

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tables {
    pub(crate) users: BTreeSet<i64>,
    /// Parent and owner.
    pub(crate) folders: BTreeMap<i64, (Option<i64>, Option<i64>)>,
    /// Folder and owner.
    pub(crate) files: BTreeMap<i64, (Option<i64>, i64)>,
    pub(crate) stars: BTreeMap<i64, Option<(&'static str, i64)>>,
    /// User, folder and file.
    pub(crate) locks: BTreeMap<i64, [Option<i64>; 3]>,
    pub(crate) tags: BTreeSet<i64>,
    /// Folder and tag.
    pub(crate) links: Vec<(i64, i64)>,
    /// User and folder.
    pub(crate) shares: Vec<(i64, i64)>,
    pub(crate) houses: BTreeSet<(i64, i64)>,
    /// Tenant and number of the house.
    pub(crate) rooms: BTreeMap<i64, (i64, Option<i64>)>,
}

/// Rows of one model that are destroyed.
#[derive(Debug, Clone)]
pub(crate) enum Roots {
    Users(Vec<i64>),
    Folders(Vec<i64>),
    Files(Vec<i64>),
    Stars(Vec<i64>),
    Locks(Vec<i64>),
    Tags(Vec<i64>),
    Houses(Vec<(i64, i64)>),
    Rooms(Vec<i64>),
}

impl Tables {
    pub(crate) fn counters(&self) -> Counters {
        let mut counters = BTreeMap::new();
        let mut count = |of: String, number: usize| _ = counters.insert(of, number as i64);
        for id in &self.users {
            count(format!("user {id} folders"), self.folders.values().filter(|row| row.1 == Some(*id)).count());
            count(format!("user {id} files"), self.files.values().filter(|row| row.1 == *id).count());
            count(format!("user {id} shares"), self.shares.iter().filter(|row| row.0 == *id).count());
        }
        let starred = |kind, id: i64| self.stars.values().filter(|star| **star == Some((kind, id))).count();
        for id in self.folders.keys() {
            count(format!("folder {id} folders"), self.folders.values().filter(|row| row.0 == Some(*id)).count());
            count(format!("folder {id} files"), self.files.values().filter(|row| row.0 == Some(*id)).count());
            count(format!("folder {id} stars"), starred("Folder", *id));
            count(format!("folder {id} shares"), self.shares.iter().filter(|row| row.1 == *id).count());
        }
        for id in self.files.keys() {
            count(format!("file {id} stars"), starred("File", *id));
        }
        for (tenant, number) in &self.houses {
            let rooms = self.rooms.values().filter(|row| **row == (*tenant, Some(*number))).count();
            count(format!("house {tenant} {number} rooms"), rooms);
        }
        counters
    }

    /// What is left. `None` if a row refuses.
    pub(crate) fn destroyed(&self, roots: &Roots) -> Option<Tables> {
        let mut left = self.clone();
        let (mut users, mut folders, mut files): (Vec<i64>, Vec<i64>, Vec<i64>) = Default::default();
        match roots {
            Roots::Users(ids) => users.extend(ids),
            Roots::Folders(ids) => folders.extend(ids),
            Roots::Files(ids) => files.extend(ids),
            Roots::Stars(ids) => left.stars.retain(|id, _| !ids.contains(id)),
            Roots::Locks(ids) => left.locks.retain(|id, _| !ids.contains(id)),
            Roots::Rooms(ids) => left.rooms.retain(|id, _| !ids.contains(id)),
            Roots::Tags(ids) => {
                left.tags.retain(|id| !ids.contains(id));
                left.links.retain(|(_, tag)| !ids.contains(tag));
            }
            Roots::Houses(keys) => {
                left.houses.retain(|key| !keys.contains(key));
                for row in left.rooms.values_mut().filter(|row| row.1.is_some_and(|at| keys.contains(&(row.0, at)))) {
                    row.1 = None;
                }
            }
        }
        // Folders take what is below them along, at any depth.
        let mut at = 0;
        while at < folders.len() {
            let below = self.folders.iter().filter(|(_, row)| row.0 == Some(folders[at])).map(|(id, _)| *id);
            let below: Vec<i64> = below.filter(|id| !folders.contains(id)).collect();
            folders.extend(below);
            at += 1;
        }
        files.extend(
            self.files.iter().filter(|(_, row)| row.0.is_some_and(|id| folders.contains(&id))).map(|(id, _)| *id),
        );
        let has = |ids: &[i64], id: Option<i64>| id.is_some_and(|id| ids.contains(&id));
        if self.locks.values().any(|[user, folder, _]| has(&users, *user) || has(&folders, *folder)) {
            return None;
        }
        left.users.retain(|id| !users.contains(id));
        left.folders.retain(|id, _| !folders.contains(id));
        for row in left.folders.values_mut().filter(|row| has(&users, row.1)) {
            row.1 = None;
        }
        // Files of a user are deleted, without what depends on them.
        left.files.retain(|id, row| !files.contains(id) && !users.contains(&row.1));
        left.locks.retain(|_, row| !has(&files, row[2]));
        left.stars.retain(|_, star| !matches!(star, Some(("Folder", id)) if folders.contains(id)));
        for star in left.stars.values_mut() {
            if matches!(star, Some(("File", id)) if files.contains(id)) {
                *star = None;
            }
        }
        left.shares.retain(|(user, folder)| !users.contains(user) && !folders.contains(folder));
        left.links.retain(|(folder, _)| !folders.contains(folder));
        Some(left)
    }
}
