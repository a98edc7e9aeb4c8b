//! A tree of names, as a client wants it.

use std::collections::HashMap;

/// The associations that a client wants, by name: a tree that is built at run time, for [`Include::pick`] and
/// [`Include::pick_known`].
///
/// It stands for what a GraphQL query selects: walk over the selection set and add each field below the one before. The tree
/// may have any depth.
///
/// ```
/// use assoc_repo::Wanted;
///
/// let mut wanted = Wanted::new();
/// let posts = wanted.add(Wanted::ROOT, "posts");
/// wanted.add(posts, "comments");
/// wanted.add_path("posts.user");
/// assert_eq!(wanted.paths(), ["posts.comments", "posts.user"]);
/// ```
///
/// [`Include::pick`]: crate::Include::pick
/// [`Include::pick_known`]: crate::Include::pick_known
#[derive(Debug, Clone)]
pub struct Wanted {
    // The root first, and each place after the one that it is below.
    places: Vec<Place>,
}

/// A place in a tree of [`Wanted`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WantedPlace(usize);

#[derive(Debug, Clone, Default)]
struct Place {
    name: String,
    above: usize,
    below: HashMap<String, usize>,
    // Whether it is wanted itself, and not only passed.
    is_end: bool,
}

impl Wanted {
    /// The place of the query's own rows.
    pub const ROOT: WantedPlace = WantedPlace(0);

    /// Wants nothing.
    ///
    /// ```
    /// use assoc_repo::Wanted;
    ///
    /// assert!(Wanted::new().paths().is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Wanted { places: vec![Place::default()] }
    }

    /// Adds a name below a place, and gives its place. The same name again is the same place. A place of another tree counts
    /// as the root.
    ///
    /// ```
    /// use assoc_repo::Wanted;
    ///
    /// let mut wanted = Wanted::new();
    /// let posts = wanted.add(Wanted::ROOT, "posts");
    /// wanted.add(posts, "user");
    /// assert_eq!(wanted.add(Wanted::ROOT, "posts"), posts);
    /// assert_eq!(wanted.paths(), ["posts.user"]);
    /// ```
    pub fn add(&mut self, above: WantedPlace, name: &str) -> WantedPlace {
        let place = self.pass(above, name);
        self.places[place.0].is_end = true;
        place
    }

    fn pass(&mut self, above: WantedPlace, name: &str) -> WantedPlace {
        let above = if above.0 < self.places.len() { above.0 } else { 0 };
        if let Some(known) = self.places[above].below.get(name) {
            return WantedPlace(*known);
        }
        let at = self.places.len();
        self.places[above].below.insert(name.to_owned(), at);
        self.places.push(Place { name: name.to_owned(), above, ..Place::default() });
        WantedPlace(at)
    }

    /// Adds names, each below the one before: `"posts.comments"`.
    ///
    /// ```
    /// use assoc_repo::Wanted;
    ///
    /// let mut wanted = Wanted::new();
    /// let comments = wanted.add_path("posts.comments");
    /// wanted.add(comments, "user");
    /// assert_eq!(wanted.paths(), ["posts.comments.user"]);
    /// ```
    pub fn add_path(&mut self, path: &str) -> WantedPlace {
        let place = path.split('.').fold(Wanted::ROOT, |above, name| self.pass(above, name));
        self.places[place.0].is_end = true;
        place
    }

    /// The longest paths, in the order in which they were added.
    ///
    /// ```
    /// use assoc_repo::Wanted;
    ///
    /// let wanted = Wanted::from_iter(["posts.user", "posts", "account"]);
    /// assert_eq!(wanted.paths(), ["posts.user", "account"]);
    /// ```
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        (1..self.places.len()).filter(|at| self.places[*at].below.is_empty()).map(|at| self.path(at)).collect()
    }

    /// The places after the root: each with the place above it and its name.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        self.places.iter().enumerate().skip(1).map(|(at, place)| (at, place.above, place.name.as_str()))
    }

    /// Whether a place is wanted itself.
    pub(super) fn is_end(&self, at: usize) -> bool {
        self.places[at].is_end
    }

    /// The names to a place.
    pub(super) fn path(&self, mut at: usize) -> String {
        let mut names = Vec::new();
        while at > 0 {
            names.push(self.places[at].name.as_str());
            at = self.places[at].above;
        }
        names.reverse();
        names.join(".")
    }
}

impl Default for Wanted {
    fn default() -> Self {
        Wanted::new()
    }
}

/// A tree of the paths.
impl<P: AsRef<str>> FromIterator<P> for Wanted {
    fn from_iter<I: IntoIterator<Item = P>>(paths: I) -> Self {
        let mut wanted = Wanted::new();
        for path in paths {
            wanted.add_path(path.as_ref());
        }
        wanted
    }
}
