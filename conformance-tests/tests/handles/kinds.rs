//! What each association means, written down a second time: by columns, from the documentation, not from the derive.

use std::borrow::Cow;

use assoc_core::Value;

/// A column and the value that a condition requires of it.
pub(crate) type Condition = (&'static str, Value<'static>);

#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Tables.
    pub(crate) owner: &'static str,
    pub(crate) target: &'static str,
    pub(crate) link: Link,
    /// Of targets.
    pub(crate) conditions: &'static [Condition],
    pub(crate) is_sorted: bool,
}

#[derive(Debug)]
pub(crate) enum Link {
    /// The target holds its owner's key: its columns with the owner's, and the column of the type with the owner's tag.
    Target {
        columns: &'static [(&'static str, &'static str)],
        tag: Option<(&'static str, &'static str)>,
        let_go: LetGo,
    },
    /// Rows of another table hold both keys.
    Between { table: &'static str, owner: &'static str, target: &'static str, conditions: &'static [Condition] },
    /// The owner holds its target's key.
    Owner { column: &'static str, is_required: bool },
}

/// What becomes of a row that holds its owner's key and is let go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LetGo {
    Clear(&'static [&'static str]),
    Delete,
    Destroy,
    Refuse,
}

const OPEN: &[Condition] = &[("open", Value::Bool(true))];
const CHAIR: &[Condition] = &[("role", Value::Text(Cow::Borrowed("chair")))];

const fn keyed(
    name: &'static str,
    target: &'static str,
    columns: &'static [(&'static str, &'static str)],
    let_go: LetGo,
) -> Kind {
    Kind {
        name,
        owner: "owners",
        target,
        link: Link::Target { columns, tag: None, let_go },
        conditions: &[],
        is_sorted: false,
    }
}

const fn between(name: &'static str, target: &'static str, table: &'static str, columns: [&'static str; 2]) -> Kind {
    let link = Link::Between { table, owner: columns[0], target: columns[1], conditions: &[] };
    Kind { name, owner: "owners", target, link, conditions: &[], is_sorted: false }
}

const fn noted(name: &'static str, conditions: &'static [Condition]) -> Kind {
    Kind {
        name,
        owner: "owners",
        target: "notes",
        link: Link::Target {
            columns: &[("subject_id", "id")],
            tag: Some(("subject_type", "Owner")),
            let_go: LetGo::Clear(&["subject_id", "subject_type"]),
        },
        conditions,
        is_sorted: false,
    }
}

impl Kind {
    /// Whether writing the association may write to a table: the rows, and what hangs on them.
    pub(crate) fn reaches(&self, table: &str) -> bool {
        let is_between = matches!(self.link, Link::Between { table: between, .. } if between == table);
        let hangs_on_items = self.target == "items" && matches!(table, "owners" | "remarks" | "stamps");
        let is_own = table == self.owner || table == self.target;
        is_own || is_between || hangs_on_items || self.name == "reports"
    }
}

impl Kind {
    /// The association whose rows lead to the targets. Loading goes by those that are in memory.
    pub(crate) fn way(&self) -> Option<&'static str> {
        match self.name {
            "groups" | "open_groups" | "left_groups" => Some("memberships"),
            "chaired" => Some("chairs"),
            "club" => Some("seat"),
            _ => None,
        }
    }
}

/// All associations but polymorphic ones of rows to their owners.
pub(crate) static KINDS: &[Kind] = &[
    keyed("reports", "owners", &[("chief_id", "id")], LetGo::Clear(&["chief_id"])),
    keyed("plain", "items", &[("plain_id", "id")], LetGo::Clear(&["plain_id"])),
    Kind { conditions: OPEN, ..keyed("opened", "items", &[("plain_id", "id")], LetGo::Clear(&["plain_id"])) },
    Kind { is_sorted: true, ..keyed("sorted", "items", &[("plain_id", "id")], LetGo::Clear(&["plain_id"])) },
    keyed("nullified", "items", &[("nullified_id", "id")], LetGo::Clear(&["nullified_id"])),
    keyed("deleted", "items", &[("deleted_id", "id")], LetGo::Delete),
    keyed("destroyed", "items", &[("destroyed_id", "id")], LetGo::Destroy),
    keyed("restricted", "items", &[("restricted_id", "id")], LetGo::Clear(&["restricted_id"])),
    keyed("counted", "items", &[("counted_id", "id")], LetGo::Clear(&["counted_id"])),
    keyed("parts", "parts", &[("owner_id", "id")], LetGo::Refuse),
    noted("notes", &[]),
    keyed("memberships", "memberships", &[("owner_id", "id")], LetGo::Refuse),
    Kind { conditions: CHAIR, ..keyed("chairs", "memberships", &[("owner_id", "id")], LetGo::Refuse) },
    between("groups", "circles", "memberships", ["owner_id", "group_id"]),
    Kind {
        link: Link::Between { table: "memberships", owner: "owner_id", target: "group_id", conditions: CHAIR },
        ..between("chaired", "circles", "memberships", ["owner_id", "group_id"])
    },
    Kind { conditions: OPEN, ..between("open_groups", "circles", "memberships", ["owner_id", "group_id"]) },
    between("left_groups", "circles", "memberships", ["owner_id", "group_id"]),
    between("tags", "tags", "owners_tags", ["owner_id", "tag_id"]),
    between("friends", "owners", "friends", ["this_id", "other_id"]),
    keyed("card", "cards", &[("plain_id", "id")], LetGo::Clear(&["plain_id"])),
    keyed("deleted_card", "cards", &[("deleted_id", "id")], LetGo::Delete),
    keyed("destroyed_card", "cards", &[("destroyed_id", "id")], LetGo::Destroy),
    noted("cover", OPEN),
    keyed("seat", "seats", &[("owner_id", "id")], LetGo::Refuse),
    between("club", "circles", "seats", ["owner_id", "club_id"]),
    Kind {
        owner: "shelves",
        ..keyed("books", "books", &[("room", "room"), ("shelf_number", "number")], LetGo::Clear(&["shelf_number"]))
    },
    Kind {
        link: Link::Owner { column: "chief_id", is_required: false },
        ..keyed("chief", "owners", &[], LetGo::Refuse)
    },
    belonging("items", "plain", "plain_id", false),
    belonging("items", "counted", "counted_id", false),
    belonging("parts", "owner", "owner_id", true),
];

const fn belonging(owner: &'static str, name: &'static str, column: &'static str, is_required: bool) -> Kind {
    let link = Link::Owner { column, is_required };
    Kind { name, owner, target: "owners", link, conditions: &[], is_sorted: false }
}

pub(crate) fn kind(owner: &str, name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.owner == owner && kind.name == name)
}

/// What hangs on a row of a table when it is destroyed.
#[derive(Debug)]
pub(crate) enum Hanging {
    /// By a dependent option: rows of this association.
    Rows(&'static str, Consequence),
    /// Links of this join table, by either of these columns.
    Links(&'static str, &'static [&'static str]),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Consequence {
    Clear,
    Delete,
    Destroy,
    Restrict,
}

pub(crate) fn hanging(table: &str) -> &'static [Hanging] {
    match table {
        "owners" => &[
            Hanging::Rows("restricted", Consequence::Restrict),
            Hanging::Rows("nullified", Consequence::Clear),
            Hanging::Rows("deleted", Consequence::Delete),
            Hanging::Rows("destroyed", Consequence::Destroy),
            Hanging::Rows("deleted_card", Consequence::Delete),
            Hanging::Rows("destroyed_card", Consequence::Destroy),
            Hanging::Links("memberships", &["owner_id"]),
            Hanging::Links("owners_tags", &["owner_id"]),
            Hanging::Links("friends", &["this_id", "other_id"]),
        ],
        "items" => &[Hanging::Rows("stamps", Consequence::Restrict), Hanging::Rows("remarks", Consequence::Destroy)],
        _ => &[],
    }
}

/// The associations whose targets are not written by handles here.
pub(crate) static ASIDE: &[Kind] = &[
    Kind { owner: "items", ..keyed("stamps", "stamps", &[("item_id", "id")], LetGo::Refuse) },
    Kind { owner: "items", ..keyed("remarks", "remarks", &[("item_id", "id")], LetGo::Destroy) },
];
