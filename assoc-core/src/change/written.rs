//! The rows that a change writes, each with the path to it: where a constraint that the database reports belongs.

use super::check::Final;
use super::members::Members;
use super::{ChildOp, Member, RowChange};
use crate::key::KeyTuple;
use crate::metadata::association::Linkage;
use crate::metadata::model::ModelDef;
use crate::metadata::rules::RuleSet;
use crate::value::Value;

/// A row that a save writes.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::change::{ChildOp, Member, RowChange};
///
/// let mut ada = RowChange::of(User::DEF, std::sync::Arc::new(user(1, "Ada", None)));
/// let post = RowChange::with_values(Post::DEF, None, vec![None, None, Some("On looms".into())]);
/// ada.change_members(User::POSTS.def(), ChildOp::Replace(vec![Member::Change(post)]));
/// let rows = ada.written_rows();
/// // The key of its author is known, its own is not.
/// let author = rows[0].key(&[Post::USER_ID.index()]).map(|key| key.to_string());
/// assert_eq!((author.as_deref(), rows[0].key(Post::PRIMARY_KEY)), (Some("1"), None));
/// assert_eq!((rows[0].path_of("title").as_str(), rows[0].rules().count()), ("posts[0].title", 0));
/// ```
#[derive(Debug, Clone)]
pub struct WrittenRow {
    /// Where it is: `posts[1]`; empty for the row that is saved itself.
    pub path: String,
    /// Its model, or the join table it is a row of.
    pub model: &'static ModelDef,
    /// What its columns will hold, as far as that is known before the save.
    pub values: Vec<Option<Value<'static>>>,
    /// The columns that are written; of a new row all.
    pub written: Vec<usize>,
    /// The primary key of a row that exists.
    pub existing: Option<KeyTuple>,
    /// The rules of its change, beside those of its model.
    pub rules: Vec<RuleSet>,
}

impl WrittenRow {
    fn of(row: Final<'_>, path: &str) -> Self {
        let change = row.change;
        let columns = 0..change.model.columns.len();
        let is_new = change.is_new();
        WrittenRow {
            path: path.to_owned(),
            model: change.model,
            values: columns.clone().map(|column| row.value(column).map(Value::into_owned)).collect(),
            written: columns.filter(|column| is_new || row.is_changed(*column)).collect(),
            existing: change.base.as_ref().and_then(|base| change.model.key_of(&**base)),
            rules: change.own_rules().cloned().collect(),
        }
    }

    /// The key in some columns; `None` if part of it is `NULL` or not known.
    #[must_use]
    pub fn key(&self, columns: &[usize]) -> Option<KeyTuple> {
        let values = columns.iter().map(|column| self.values.get(*column)?.clone());
        KeyTuple::new(values.collect::<Option<Vec<_>>>()?)
    }

    /// All rules that judge it.
    pub fn rules(&self) -> impl Iterator<Item = &RuleSet> {
        self.model.rules.map(|rules| rules()).into_iter().chain(&self.rules)
    }

    /// The path of one of its fields.
    #[must_use]
    pub fn path_of(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }
}

impl RowChange {
    /// Whether a rule of a row that is written has words for a violated constraint.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::Rules;
    /// use assoc_core::change::RowChange;
    ///
    /// let mut tag = RowChange::new(Tag::DEF);
    /// assert!(!tag.explains_constraints());
    /// tag.add_rules(Rules::<Tag>::new().unique(Tag::NAME).into_set());
    /// assert!(tag.explains_constraints());
    /// ```
    #[must_use]
    pub fn explains_constraints(&self) -> bool {
        let below = |child: &super::ChildChange| {
            // As a rule the application adds a row and sets few of its columns.
            if let ChildOp::Push { member, join: None } = &child.op {
                return member.change().is_some_and(RowChange::explains_constraints);
            }
            let edited = match &child.op {
                ChildOp::Edit(change) => Some(&**change),
                ChildOp::Push { join, .. } => join.as_deref(),
                _ => None,
            };
            let members = child.op.members().iter().filter_map(Member::change);
            edited.into_iter().chain(members).any(RowChange::explains_constraints)
        };
        let has_rules = self.model.rules.is_some() || self.extra.is_some();
        has_rules && self.rules().any(RuleSet::has_constraints) || self.children.iter().any(below)
    }

    /// The rows that saving the change would write, with the rows between owners and members.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::RowChange;
    ///
    /// let tag = RowChange::with_values(Tag::DEF, None, vec![None, Some("rust".into())]);
    /// assert_eq!(tag.written_rows().len(), 1);
    /// assert!(RowChange::of(Tag::DEF, std::sync::Arc::new(Tag { id: 7, name: "rust".into() })).written_rows().is_empty());
    /// ```
    #[must_use]
    pub fn written_rows(&self) -> Vec<WrittenRow> {
        let mut rows = Vec::new();
        collect(Final { change: self, given: &[], is_judged: true, shared: None }, "", &mut rows);
        rows
    }
}

fn collect(row: Final<'_>, path: &str, rows: &mut Vec<WrittenRow>) {
    let own = WrittenRow::of(row, path);
    if !own.written.is_empty() {
        rows.push(own);
    }
    let below = |place: &str| if path.is_empty() { place.to_owned() } else { format!("{path}.{place}") };
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for child in &row.change.children {
        let association = child.association;
        if let ChildOp::AssociateWith { target, .. } = &child.op {
            if let Some(change) = target.change() {
                collect(Final { change, given: &[], is_judged: true, shared: None }, &below(association.name), rows);
            }
            continue;
        }
        let Ok(members) = Members::of(row, association) else { continue };
        let known = counts.iter().position(|(known, _)| *known == association.name).unwrap_or_else(|| {
            counts.push((association.name, 0));
            counts.len() - 1
        });
        match &child.op {
            ChildOp::Edit(edited) => {
                let place = below(&members.place(child.place, &mut counts[known].1));
                collect(Final { change: edited, given: &[], is_judged: true, shared: None }, &place, rows);
            }
            ChildOp::Push { .. } | ChildOp::PushNew(_) | ChildOp::Replace(_) => {
                let join = match &child.op {
                    ChildOp::Push { join, .. } => join.as_deref(),
                    _ => None,
                };
                let new: Vec<Member> = match &child.op {
                    ChildOp::PushNew(members) => members.members().collect(),
                    _ => Vec::new(),
                };
                for member in child.op.members().iter().chain(&new) {
                    let place = below(&members.place(child.place, &mut counts[known].1));
                    if let Some(change) = member.change() {
                        let given = members.given(change);
                        collect(Final { change, given: &given, is_judged: true, shared: None }, &place, rows);
                    } else if let (Member::Row { model, row }, Ok(Linkage::TargetKey(key))) =
                        (member, association.linkage())
                    {
                        // An existing row that takes the owner's key.
                        let mut moved = RowChange::of(model, row.clone());
                        if let Some(values) = self::owner_key(&members, key.owner_columns) {
                            key.target_columns.iter().zip(values).for_each(|(column, value)| moved.set(*column, value));
                        }
                        rows.push(WrittenRow::of(
                            Final { change: &moved, given: &[], is_judged: true, shared: None },
                            &place,
                        ));
                    }
                    collect_link(&members, member, join, &place, rows);
                }
            }
            _ => {}
        }
    }
}

fn owner_key(members: &Members<'_>, columns: &[usize]) -> Option<Vec<Value<'static>>> {
    members.owner.final_key(columns)
}

// The row between owner and member.
fn collect_link(
    members: &Members<'_>,
    member: &Member,
    join: Option<&RowChange>,
    place: &str,
    rows: &mut Vec<WrittenRow>,
) {
    let Ok(Linkage::JoinRecord(record)) = members.association.linkage() else { return };
    let mut link = join.cloned().unwrap_or_else(|| RowChange::new(record.table));
    if let Some(values) = owner_key(members, record.owner.owner_columns) {
        record.owner.target_columns.iter().zip(values).for_each(|(column, value)| link.set(*column, value));
    }
    let target = match (member.change(), member.existing()) {
        (Some(change), _) => change.final_key(record.target.target_columns),
        (None, Some(row)) => {
            member.model().key_in(&**row, record.target.target_columns).map(|key| key.values().to_vec())
        }
        (None, None) => None,
    };
    if let Some(values) = target {
        record.target.owner_columns.iter().zip(values).for_each(|(column, value)| link.set(*column, value));
    }
    rows.push(WrittenRow::of(Final { change: &link, given: &[], is_judged: true, shared: None }, place));
}

/// The path that several paths have in common, without positions: `posts` of `posts[1]` and `posts[3]`.
///
/// ```
/// use assoc_core::change::common_path;
///
/// assert_eq!(common_path(["posts[1]", "posts[3]"]).as_deref(), Some("posts"));
/// assert_eq!(common_path(["posts[1]", "tags[0]"]), None);
/// ```
#[must_use]
pub fn common_path<'p>(paths: impl IntoIterator<Item = &'p str>) -> Option<String> {
    let without = |path: &str| {
        let parts = path.split('.').map(|part| part.split('[').next().unwrap_or(part));
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
    };
    let mut paths = paths.into_iter().map(without);
    let first = paths.next()?;
    paths.all(|path| path == first).then_some(first)
}
