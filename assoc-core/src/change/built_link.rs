//! New rows that were built as members behind rows between (F130): they are linked to their owner when they are inserted, also
//! if they are inserted by themselves.

use super::{Row, RowChange};
use crate::key::KeyTuple;
use crate::metadata::association::AssociationDef;

/// The owner that a new row was built for.
#[derive(Clone)]
pub(crate) struct BuiltLink {
    /// The association whose member it is to be.
    pub(crate) association: &'static AssociationDef,
    /// The owner, which exists.
    pub(crate) owner: Row,
}

impl RowChange {
    /// Links the new row to an owner when it is inserted: by a row between the two.
    pub(super) fn link_to(&mut self, association: &'static AssociationDef, owner: Row) {
        self.extra_mut().links.push(BuiltLink { association, owner });
    }

    /// Takes over what another change says of the owners it was built for.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::RowChange;
    ///
    /// // A tag that was built for a post is linked to it by a row between, when it is inserted.
    /// let built = RowChange::new_member(Post::TAGS.def(), &post(7, 1, "On looms"))?;
    /// let mut other = RowChange::new(Tag::DEF);
    /// assert!(built.has_members() && !other.has_members());
    /// other.link_as(&built);
    /// assert!(other.has_members());
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn link_as(&mut self, other: &RowChange) {
        if other.is_linked() {
            self.extra_mut().links.extend(other.built_links().iter().cloned());
        }
    }

    /// Whether the row is linked to owners that it was built for.
    pub(super) fn is_linked(&self) -> bool {
        !self.built_links().is_empty()
    }

    /// The owners that it was built for.
    pub(crate) fn built_links(&self) -> &[BuiltLink] {
        self.extra.as_ref().map_or(&[], |extra| &extra.links)
    }

    /// Drops the link to an owner, because the owner's side of the save writes it.
    pub(crate) fn drop_link(&mut self, association: &'static AssociationDef, owner: Option<&KeyTuple>) {
        let model = (association.owner)();
        if let Some(extra) = &mut self.extra {
            let is_same = |link: &BuiltLink| model.key_of(&*link.owner).as_ref() == owner;
            extra.links.retain(|link| link.association != association || !is_same(link));
        }
    }
}
