//! Fields of a form: pairs of name and text, whose names say where the text belongs. `posts[0][title]` is the title of the
//! first post, `tags[]` one text more of a list.

use std::collections::HashMap;

use super::{Budget, Input, Limits, Node, ROOT};
use crate::error::FieldError;

/// A place of the form while it is read.
enum Place {
    Field(String),
    Group(Group),
}

#[derive(Default)]
struct Group {
    places: Vec<(String, Place)>,
    index: HashMap<String, usize>,
    // The number of places that were added without a name.
    unnamed: usize,
}

pub(super) fn parse<'p, K: AsRef<str> + 'p, V: AsRef<str> + 'p>(
    pairs: impl Iterator<Item = &'p (K, V)>,
    limits: Limits,
) -> Result<Input, FieldError> {
    let mut root = Group::default();
    let mut budget = Budget::new(limits);
    for (name, text) in pairs {
        let (name, text) = (name.as_ref(), text.as_ref());
        let path = segments(name);
        // Each segment may make a place.
        for depth in 1..path.len() {
            budget.take(depth, 0)?;
        }
        budget.take(path.len(), name.len().saturating_add(text.len()))?;
        put(&mut root, &path, text).map_err(|()| {
            let shown: String = name.chars().take(100).collect();
            let message = format!("has `{shown}` both as a field and as a group of fields");
            FieldError::new(ROOT, message).with_code(FieldError::WRONG_TYPE)
        })?;
    }
    Ok(finished(root))
}

// `a[b][]` is `a`, `b` and an empty one. A name whose brackets do not match is one segment.
fn segments(name: &str) -> Vec<&str> {
    let inside = |rest: &'_ str| rest.strip_suffix(']').is_some();
    match name.split_once('[') {
        Some((first, rest)) if !first.is_empty() && inside(rest) => {
            let rest = &rest[..rest.len() - 1];
            let parts: Vec<&str> = rest.split("][").collect();
            if parts.iter().any(|part| part.contains(['[', ']'])) {
                return vec![name];
            }
            std::iter::once(first).chain(parts).collect()
        }
        _ => vec![name],
    }
}

fn put(root: &mut Group, path: &[&str], text: &str) -> Result<(), ()> {
    let mut group = root;
    let Some((last, above)) = path.split_last() else { return Ok(()) };
    for (at, segment) in above.iter().enumerate() {
        let name = if segment.is_empty() {
            group.continued(path.get(at + 1..).unwrap_or_default())
        } else {
            (*segment).to_owned()
        };
        let place = group.place(name, || Place::Group(Group::default()));
        let Place::Group(next) = place else { return Err(()) };
        group = next;
    }
    let name = if last.is_empty() { group.unnamed_next() } else { (*last).to_owned() };
    match group.place(name, || Place::Field(String::new())) {
        // The last one counts: a hidden field before a check box.
        Place::Field(known) => {
            text.clone_into(known);
            Ok(())
        }
        Place::Group(_) => Err(()),
    }
}

impl Group {
    fn place(&mut self, name: String, new: impl FnOnce() -> Place) -> &mut Place {
        let next = self.places.len();
        let at = *self.index.entry(name.clone()).or_insert(next);
        if at == next {
            self.places.push((name, new()));
        }
        &mut self.places[at].1
    }

    fn unnamed_next(&mut self) -> String {
        loop {
            let name = self.unnamed.to_string();
            self.unnamed += 1;
            if !self.index.contains_key(&name) {
                return name;
            }
        }
    }

    // The place of `posts[][title]`: the last one, until it has such a field.
    fn continued(&mut self, rest: &[&str]) -> String {
        if let (Some((name, Place::Group(last))), Some(next)) = (self.places.last(), rest.first())
            && !next.is_empty()
            && (rest.len() > 1 || !last.index.contains_key(*next))
        {
            return name.clone();
        }
        self.unnamed_next()
    }
}

// Groups whose names are numbers, in the order of the numbers.
fn finished(group: Group) -> Input {
    let mut entries: Vec<(String, Input)> = group
        .places
        .into_iter()
        .map(|(name, place)| match place {
            Place::Field(text) => (name, Input(Node::Field(text))),
            Place::Group(group) => (name, finished(group)),
        })
        .collect();
    let number = |name: &str| name.parse::<u64>().ok();
    if entries.iter().all(|(name, _)| number(name).is_some()) {
        entries.sort_by_key(|(name, _)| number(name));
    }
    Input(Node::Map(entries))
}
