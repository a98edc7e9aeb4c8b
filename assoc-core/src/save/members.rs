//! What a save has to know about members of owners that exist: asked of the database before anything is written.

use std::collections::{HashMap, HashSet};

use super::found::FoundRows;
use super::questions::{Ask, Kept, Question, Removal, Resolved};
use super::unlink::{Unlink, is_destroyed, unlink_link, unlink_target};
use crate::column_type::SqlType;
use crate::error::{ErrorKind, Result};
use crate::key::{KeySet, KeyTuple, RowKeys};
use crate::metadata::association::{AssociationDef, Cardinality, DefaultScope, JoinRecord, KeyJoin};
use crate::metadata::expr::Expr;
use crate::metadata::model::{Discriminator, ModelDef};
use crate::metadata::rows::LinkRows;

/// A look-up of members of one association: one statement for as many keys as a statement takes.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use std::sync::Arc;
///
/// use assoc_core::change::{ChildOp, RowChange};
/// use assoc_core::driver::RowSink;
/// use assoc_core::execution::RowKeys;
/// use assoc_core::save::SavePlan;
///
/// // From now on a user has no posts: those there are have to be known.
/// let mut ada = RowChange::of(User::DEF, Arc::new(user(1, "Ada", None)));
/// ada.change_members(User::POSTS.def(), ChildOp::Replace(vec![]));
/// let plan = SavePlan::new(User::DEF, vec![ada])?;
/// let [posts] = plan.lookups() else { panic!("one look-up") };
/// assert_eq!((posts.by.as_slice(), posts.keys()), (&[Post::USER_ID.index()][..], RowKeys::Ints(vec![Some(1)])));
/// assert_eq!((posts.identity(), posts.member_columns()), (Post::PRIMARY_KEY, Post::PRIMARY_KEY));
/// assert!(posts.removes() && !posts.tells() && !posts.shows_keyless(), "no callback wants to see them");
///
/// // What the database answers: key and author.
/// let mut found = posts.rows();
/// found.row(&mut [7_i64.into(), 1_i64.into()])?;
/// assert_eq!(posts.member_keys(&found), RowKeys::Ints(vec![Some(7)]));
/// let resolved = posts.resolve(&found, None)?;
/// assert_eq!(resolved.let_go.iter().map(ToString::to_string).collect::<Vec<_>>(), ["7"]);
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub struct Lookup {
    /// The association.
    pub association: &'static AssociationDef,
    /// The table that is read: that of the members, or of the rows between.
    pub table: &'static ModelDef,
    /// The columns by which its rows are found.
    pub by: Vec<usize>,
    /// The columns that are read, each once.
    pub columns: Vec<usize>,
    /// Which rows count, beside their keys.
    pub filter: Expr,
    /// The questions.
    pub questions: Vec<Question>,
    /// Of rows between, the condition on the rows that they lead to. `None` if each leads to a member.
    pub targets: Option<MemberCondition>,
    /// How a row is let go.
    pub unlink: Unlink,
    /// Why it is let go.
    pub removal: Removal,
    /// Whether removing rows sets the `touch` times of their parents. It does where the save writes each row by itself. One
    /// statement removes the members of an association to many: it updates counter caches and sets no time.
    pub moves_times: bool,
    // Whether rows that are let go have to be of versions that are known.
    pub(super) reads_version: bool,
    // What tells a row from others, the owner's key in it, and the member's.
    identity: Vec<usize>,
    owner: Vec<usize>,
    member: Vec<usize>,
    // The type of the owner that a row names beside its key.
    owner_type: Option<Discriminator>,
    // The columns of the members to which rows between lead.
    named_by: Option<&'static [usize]>,
}

/// Which rows are members: a condition, and the columns by which rows between lead to them.
pub struct MemberCondition {
    /// Their model.
    pub model: &'static ModelDef,
    /// The columns that hold their keys.
    pub by: Vec<usize>,
    /// The condition.
    pub filter: Expr,
}

impl Lookup {
    /// A look-up of members that hold their owner's key: of all that an owner has, or of single ones.
    pub(super) fn of_targets(association: &'static AssociationDef, key: KeyJoin, all: bool, removal: Removal) -> Self {
        let table = (association.target)();
        let identity = table.primary_key.to_vec();
        let owner = key.target_columns.to_vec();
        let unlink = unlink_target(association, key, removal);
        let seen = default_scope(all).of_members(association).and(association.scope().filter);
        Lookup {
            association,
            table,
            by: if all { owner.clone() } else { [&identity[..], &owner].concat() },
            columns: distinct([&identity, &owner]),
            filter: of_types(table, [key.target_type]).and(seen),
            questions: Vec::new(),
            targets: None,
            moves_times: is_written_alone(association, removal) && unlink != Unlink::Delete,
            unlink,
            removal,
            reads_version: false,
            member: identity.clone(),
            identity,
            owner,
            owner_type: key.target_type,
            named_by: None,
        }
    }

    /// A look-up of rows between owners and members.
    pub(super) fn of_links(
        association: &'static AssociationDef,
        record: &JoinRecord,
        all: bool,
        removal: Removal,
    ) -> Self {
        let table = record.table;
        let (owner, member) = (record.owner.target_columns.to_vec(), record.target.owner_columns.to_vec());
        let pair = [&owner[..], &member].concat();
        let identity = if table.primary_key.is_empty() { pair.clone() } else { table.primary_key.to_vec() };
        let filter = record.conditions_on_targets(association, default_scope(all));
        let is_one_type = (association.target)().discriminator.is_some();
        let condition = || MemberCondition {
            model: (association.target)(),
            by: record.target.target_columns.to_vec(),
            filter: filter.clone(),
        };
        Lookup {
            association,
            table,
            by: if all { owner.clone() } else { pair },
            columns: distinct([&identity, &distinct([&owner, &member])]),
            filter: of_types(table, [record.owner.target_type]).and(record.conditions_on_rows()),
            questions: Vec::new(),
            targets: (!filter.is_always() || is_one_type).then(condition),
            unlink: unlink_link(association, record, removal),
            removal,
            reads_version: false,
            moves_times: is_written_alone(association, removal),
            identity,
            owner,
            member,
            owner_type: record.owner.target_type,
            named_by: Some(record.target.target_columns),
        }
    }

    // With the column that holds the versions, if they are compared.
    pub(super) fn with_version(mut self) -> Self {
        if let Some(version) = self.version_column().filter(|version| !self.columns.contains(version)) {
            self.columns.push(version);
        }
        self
    }

    fn version_column(&self) -> Option<usize> {
        self.table.lock_version().filter(|_| self.reads_version)
    }

    /// Whether rows that are let go have to be of versions that are known. Such rows are read under a lock, so that they have these
    /// versions until they are written.
    #[must_use]
    pub fn compares_versions(&self) -> bool {
        self.version_column().is_some()
    }

    /// The columns that tell a row of the table from others.
    #[must_use]
    pub fn identity(&self) -> &[usize] {
        &self.identity
    }

    /// The condition that a row which was found is still one of these owners' when it is written. It always holds where what tells
    /// a row from others says its owner, and of rows that were found under a lock.
    #[must_use]
    pub fn still_held_by(&self, owners: &[&KeyTuple]) -> Expr {
        if self.compares_versions() || self.owner.iter().all(|column| self.identity.contains(column)) {
            return Expr::always();
        }
        let key = |owner: &&KeyTuple| self.owner.iter().copied().zip(owner.values().iter().cloned()).collect();
        let keys: Vec<Vec<_>> = owners.iter().map(key).collect();
        of_types(self.table, [self.owner_type]).and(Expr::has_one_of(self.table, &keys))
    }

    /// Whether rows may be let go.
    #[must_use]
    pub fn removes(&self) -> bool {
        self.questions.iter().any(|question| match question.ask {
            Ask::Member { remove, .. } => remove,
            Ask::All { .. } => true,
        })
    }

    /// The keys to look for.
    #[must_use]
    pub fn keys(&self) -> RowKeys {
        let key = |question: &Question| match &question.ask {
            Ask::All { .. } => question.owner.clone(),
            Ask::Member { member, .. } => {
                let (owner, member) = (question.owner.values(), member.values());
                KeyTuple::of_row(if self.begins_with_owner() { [owner, member] } else { [member, owner] }.concat())
            }
        };
        let keys = self.questions.iter().map(|question| Some(key(question))).collect();
        match self.by.as_slice() {
            [_] => as_ints(keys),
            _ => RowKeys::Tuples(keys),
        }
    }

    // Of the key by which one member is found. Both parts count: the key of a member may itself begin with its owner's.
    fn begins_with_owner(&self) -> bool {
        self.by == [&self.owner[..], &self.member].concat()
    }

    // Where the keys of owner and member are in the key by which rows are found; `None` where the member's is no part of it.
    fn places(&self) -> (usize, Option<usize>) {
        if self.by == self.owner {
            (0, None)
        } else if self.begins_with_owner() {
            (0, Some(self.owner.len()))
        } else {
            (self.member.len(), Some(0))
        }
    }

    /// The columns of the table that hold the member's key.
    #[must_use]
    pub fn member_columns(&self) -> &[usize] {
        &self.member
    }

    /// Whether callbacks of the association want to know which rows are let go.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.removal != Removal::Silent && self.removes() && self.association.has_remove_callbacks()
    }

    /// Whether callbacks see rows without a primary key that are let go: those of their model, if the rows are destroyed.
    #[must_use]
    pub fn shows_keyless(&self) -> bool {
        self.table.primary_key.is_empty()
            && self.table.has_destroy_callbacks()
            && self.removes()
            && self.unlink == Unlink::Delete
            && is_destroyed(self.association, self.removal)
    }

    /// A list for the rows that are read.
    #[must_use]
    pub fn rows(&self) -> FoundRows {
        FoundRows::new(LinkRows::of(self.table, self.columns.clone()))
    }

    /// The keys of the rows to which rows between lead.
    #[must_use]
    pub fn member_keys(&self, found: &FoundRows) -> RowKeys {
        found.keys(&self.member)
    }

    /// Whether each row holds one of the [keys](Self::keys) that were asked for. Otherwise the database has to say by which key it
    /// has found it.
    #[must_use]
    pub fn holds_keys(&self, found: &FoundRows, keys: &KeySet) -> bool {
        found.hold(&self.by, keys)
    }

    /// The members that rows between seem to write otherwise than those that stay: their model, the columns of their key, and
    /// the keys by which to find them. `None` if there are none.
    #[must_use]
    pub fn unnamed_members(&self, found: &FoundRows) -> Option<(&'static ModelDef, &'static [usize], KeySet)> {
        let columns = self.named_by?;
        let stay: HashSet<&KeyTuple> =
            self.questions.iter().flat_map(Question::kept).map(|kept| &kept.member).collect();
        let there: HashSet<KeyTuple> = found.known(&self.member, self.places().1).into_iter().flatten().collect();
        let target = (self.association.target)();
        if stay.is_empty() || columns.iter().all(|column| target.columns[*column].sql_type != SqlType::Text) {
            return None;
        }
        let near: HashSet<KeyTuple> = stay.iter().map(|key| key.folded()).collect();
        if !there.iter().any(|key| !stay.contains(key) && near.contains(&key.folded())) {
            return None;
        }
        Some((target, columns, KeySet::from_iter(there)))
    }

    /// Decides what is let go, and what need not be written. Of rows between with a [condition](Self::targets), only those
    /// count that lead to one of the `seen` rows.
    ///
    /// # Errors
    /// [`ErrorKind::NotMember`] if a row that was to be edited or let go is none of its owner's;
    /// [`ErrorKind::Stale`] if one that is let go has another version than the one that is known of it;
    /// [`ErrorKind::Invalid`] if a member cannot be let go.
    pub fn resolve(&self, found: &FoundRows, seen: Option<&HashSet<KeyTuple>>) -> Result<Resolved> {
        let (owner, member) = self.places();
        let (owners, members) = (found.known(&self.owner, Some(owner)), found.known(&self.member, member));
        let is_pair = self.table.primary_key.is_empty() && self.by == self.identity;
        let identity = found.known(&self.identity, is_pair.then_some(0));
        let versions: HashMap<KeyTuple, Option<KeyTuple>> = match self.version_column() {
            Some(version) => {
                let rows = identity.iter().cloned().zip(found.stored(&[version]));
                rows.filter_map(|(identity, version)| Some((identity?, version))).collect()
            }
            None => HashMap::new(),
        };
        // Of each owner, its rows by their members.
        let mut by_owner: HashMap<KeyTuple, HashMap<KeyTuple, Vec<KeyTuple>>> = HashMap::new();
        for ((identity, owner), member) in identity.into_iter().zip(owners).zip(members) {
            if let (Some(identity), Some(owner), Some(member)) = (identity, owner, member)
                && seen.is_none_or(|seen| seen.contains(&member))
            {
                by_owner.entry(owner).or_default().entry(found.named(member)).or_default().push(identity);
            }
        }
        // Of rows between that say the same the oldest stay, in whatever order the database gives them.
        for rows in by_owner.values_mut().flat_map(HashMap::values_mut) {
            rows.sort_by(KeyTuple::cmp_values);
        }
        let mut resolved = Resolved::default();
        let mut done: HashSet<(&KeyTuple, &KeyTuple)> = HashSet::new();
        for question in &self.questions {
            let own = by_owner.get(&question.owner);
            match &question.ask {
                Ask::Member { member, remove, version } => {
                    let rows =
                        own.and_then(|own| own.get(member)).ok_or_else(|| self.not_a_member(question, member))?;
                    let is_other = |row: &KeyTuple| versions.get(row).is_some_and(|stored| stored != version);
                    if version.is_some() && rows.iter().any(is_other) {
                        return Err(ErrorKind::Stale { model: self.table.name, key: member.to_string() }.into());
                    }
                    if *remove && done.insert((&question.owner, member)) {
                        resolved.let_go.extend(rows.iter().cloned());
                        resolved.members.extend(rows.iter().map(|_| (question.row, member.clone())));
                    }
                }
                Ask::All { keep, link } => {
                    let first = resolved.let_go.len();
                    self.resolve_all(question.row, keep, own, &mut resolved);
                    let link = link.filter(|link| !resolved.linked.contains(link) && self.can_lead_elsewhere());
                    if let (Some(link), Some(row)) = (link, resolved.let_go.get(first)) {
                        resolved.relinked.push((link, row.clone()));
                    }
                }
            }
        }
        match &self.unlink {
            Unlink::Refused(error) if !resolved.let_go.is_empty() => {
                let model = (self.association.owner)().name;
                Err(ErrorKind::Invalid { model, errors: vec![error.clone()] }.into())
            }
            _ => Ok(resolved),
        }
    }

    fn resolve_all(
        &self,
        owner: u32,
        keep: &[Kept],
        own: Option<&HashMap<KeyTuple, Vec<KeyTuple>>>,
        resolved: &mut Resolved,
    ) {
        let Some(own) = own else { return };
        let mut wanted: HashMap<&KeyTuple, Vec<&Kept>> = HashMap::new();
        for kept in keep {
            wanted.entry(&kept.member).or_default().push(kept);
        }
        let has_key = !self.table.primary_key.is_empty();
        let mut let_go = Vec::new();
        for (member, rows) in own {
            let wanted = wanted.get(member).map_or(&[][..], |wanted| wanted);
            // Equal rows without a key of their own are not told apart: all of them go, and those that stay are written anew.
            if !has_key && rows.len() > wanted.len() {
                let_go.push((rows[0].clone(), member));
                continue;
            }
            let_go.extend(rows.iter().skip(wanted.len()).map(|row| (row.clone(), member)));
            let linked = wanted.iter().take(rows.len());
            resolved.linked.extend(linked.clone().map(|kept| kept.row));
            resolved.unneeded.extend(linked.filter(|kept| kept.only_links).map(|kept| kept.row));
        }
        // In a stable order, so that statements are the same each time.
        let_go.sort_by(|(one, _), (other, _)| one.cmp_values(other));
        resolved.members.extend(let_go.iter().map(|(_, member)| (owner, (*member).clone())));
        resolved.let_go.extend(let_go.into_iter().map(|(row, _)| row));
    }

    /// Whether a row between that is let go may lead to a new target.
    #[must_use]
    pub(super) fn may_relink(&self) -> bool {
        let links = |question: &Question| matches!(question.ask, Ask::All { link: Some(_), .. });
        self.can_lead_elsewhere() && self.questions.iter().any(links)
    }

    // Whether a row between that is let go can lead to another target instead, and so keep its other columns. Callbacks of
    // the row and its version would have to see a change of a row that was not read: it is replaced then.
    fn can_lead_elsewhere(&self) -> bool {
        let table = self.table;
        self.unlink == Unlink::Delete
            && !table.primary_key.is_empty()
            && !self.member.iter().any(|column| table.primary_key.contains(column))
            && table.lock_version().is_none()
            && !table.has_save_callbacks()
    }

    #[cold]
    fn not_a_member(&self, question: &Question, member: &KeyTuple) -> crate::Error {
        ErrorKind::NotMember {
            model: (self.association.owner)().name,
            owner: question.owner.to_string(),
            association: self.association.name,
            target: (self.association.target)().name,
            key: member.to_string(),
        }
        .into()
    }
}

// Whether the save writes each removed row by itself, and not all of them by one statement.
fn is_written_alone(association: &AssociationDef, removal: Removal) -> bool {
    removal == Removal::Destroy || association.kind.cardinality() == Cardinality::One
}

fn as_ints(keys: Vec<Option<KeyTuple>>) -> RowKeys {
    let int = |key: &Option<KeyTuple>| match key.as_ref().map(KeyTuple::values) {
        Some([crate::Value::Int(int)]) => Some(Some(*int)),
        _ => None,
    };
    match keys.iter().map(int).collect::<Option<Vec<_>>>() {
        Some(ints) => RowKeys::Ints(ints),
        None => RowKeys::Tuples(keys),
    }
}

fn distinct(all: [&[usize]; 2]) -> Vec<usize> {
    let mut columns = Vec::new();
    for column in all.into_iter().flatten() {
        if !columns.contains(column) {
            columns.push(*column);
        }
    }
    columns
}

// All members are those that the association shows. A member that is named may be hidden by a default scope: who holds such a
// row has read it without that scope.
fn default_scope(all: bool) -> DefaultScope {
    if all { DefaultScope::Kept } else { DefaultScope::LeftOut }
}

fn of_types<const N: usize>(table: &ModelDef, types: [Option<Discriminator>; N]) -> Expr {
    let tagged = types.into_iter().flatten().map(|named| Expr::tagged(&table.columns[named.column], named.tag));
    tagged.fold(Expr::always(), Expr::and)
}
