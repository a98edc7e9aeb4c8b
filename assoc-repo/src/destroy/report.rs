//! What a destroy has done, or would do: [`DestroyReport`].

use std::fmt;

use assoc_core::Model;
use assoc_core::metadata::ModelDef;

/// What a destroy has done, or would do, model by model: the one that was destroyed first, then the others as they are
/// reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DestroyReport {
    models: Vec<DestroyedModel>,
}

/// What happens to the rows of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestroyedModel {
    /// The model; of rows of a join table without model, the table's definition.
    pub model: &'static ModelDef,
    /// Rows that are destroyed, with what depends on them.
    pub destroyed: u64,
    /// Rows that are deleted: by `dependent = "delete"`, or as rows of a join table.
    pub deleted: u64,
    /// Rows that stay and belong to no owner any more. One that two associations clear different columns of counts twice.
    pub nullified: u64,
    /// Rows that stay, and whose counters and times follow those that do not.
    pub updated: u64,
    /// Rows that refuse, in a preview: with any of them the destroy would fail.
    pub refusing: u64,
}

impl DestroyReport {
    /// The models, each with what happens to its rows; those of which nothing happens to any row are left out.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    /// let report = repo.destroy(&post).await?;
    /// assert_eq!((report.models()[0].model.name, report.models()[0].destroyed), ("Post", 1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn models(&self) -> &[DestroyedModel] {
        &self.models
    }

    /// What happens to the rows of a model; `None` if nothing does.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    /// let report = repo.destroy(&post).await?;
    /// assert_eq!(report.of::<Post>().map(|posts| posts.destroyed), Some(1));
    /// assert!(report.of::<User>().is_none());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn of<M: Model>(&self) -> Option<&DestroyedModel> {
        self.models.iter().find(|known| known.model == M::DEF)
    }

    /// Whether rows refuse.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    /// let report = repo.preview_destroy(&post).await?;
    /// assert!(!report.is_refused() && report.of::<Post>().is_some());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.models.iter().any(|model| model.refusing > 0)
    }

    pub(super) fn entry(&mut self, model: &'static ModelDef) -> &mut DestroyedModel {
        let at = self.models.iter().position(|known| known.model == model).unwrap_or_else(|| {
            self.models.push(DestroyedModel { model, destroyed: 0, deleted: 0, nullified: 0, updated: 0, refusing: 0 });
            self.models.len() - 1
        });
        &mut self.models[at]
    }

    pub(super) fn without_untouched(mut self) -> Self {
        self.models
            .retain(|model| model.destroyed + model.deleted + model.nullified + model.updated + model.refusing > 0);
        self
    }
}

/// `User: 1 destroyed; Post: 2 deleted, 1 nullified`.
impl fmt::Display for DestroyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, model) in self.models.iter().enumerate() {
            f.write_str(if at > 0 { "; " } else { "" })?;
            write!(f, "{}: ", model.model.name)?;
            let counts = [
                (model.destroyed, "destroyed"),
                (model.deleted, "deleted"),
                (model.nullified, "nullified"),
                (model.updated, "updated"),
                (model.refusing, "refusing"),
            ];
            for (place, (count, what)) in counts.into_iter().filter(|(count, _)| *count > 0).enumerate() {
                f.write_str(if place > 0 { ", " } else { "" })?;
                write!(f, "{count} {what}")?;
            }
        }
        Ok(())
    }
}
