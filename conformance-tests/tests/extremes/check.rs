//! What is asked of one column, with each of its values in each place that takes one.

use std::cmp::Ordering;
use std::fmt::Debug;

use assoc_core::{Column, ColumnType, DriverErrorKind, IntoColumn, MaybeNull};
use assoc_repo::prelude::*;

use crate::Extreme;

/// One column, as it is checked.
pub(crate) struct Field<V: 'static> {
    pub(crate) column: Column<Extreme, Option<V>>,
    pub(crate) of: fn(&Extreme) -> &Option<V>,
    pub(crate) compare: fn(&V, &V) -> Ordering,
    /// Whether every database sorts it, and alike.
    pub(crate) ordered: bool,
    pub(crate) values: Vec<V>,
}

/// Whether the database has no such value.
pub(crate) fn is_refused(error: &Error) -> bool {
    let kind = error.driver().map(|driver| driver.kind());
    matches!(kind, Some(DriverErrorKind::Value | DriverErrorKind::TooLarge))
}

/// What was found wrong.
pub(crate) struct Check {
    pub(crate) repo: Repo,
    pub(crate) failed: Vec<String>,
}

/// A value, cut off where it is long.
pub(crate) fn short(what: impl Debug) -> String {
    let text = format!("{what:?}");
    if text.len() > 90 { format!("{}… of {}", text.chars().take(60).collect::<String>(), text.len()) } else { text }
}

impl Check {
    fn say(&mut self, column: &str, what: String) {
        self.failed.push(format!("{column}: {what}"));
    }

    /// Checks one column.
    pub(crate) async fn column<V>(&mut self, field: Field<V>)
    where
        V: Debug + Clone + Send + Sync + 'static,
        Option<V>: ColumnType + IntoColumn<Option<V>> + MaybeNull<Nullable = Option<V>>,
    {
        let Field { column, of, compare, ordered, values } = field;
        let name = column.name();
        let repo = self.repo.clone();
        repo.execute_raw("DELETE FROM extremes", []).await.unwrap();
        let mut rows: Vec<(i64, Option<V>)> = Vec::new();
        for value in values.iter().cloned().map(Some).chain([None]) {
            match repo.insert(Extreme::build().set(column, value.clone())).await {
                Ok(row) => {
                    let read = repo.get_or_fail::<Extreme>(row.id, Query::new()).await.unwrap();
                    for (read, how) in [(of(&row), "insert returns"), (of(&read), "there is")] {
                        let same = match (read, &value) {
                            (Some(a), Some(b)) => compare(a, b).is_eq(),
                            (a, b) => a.is_none() == b.is_none(),
                        };
                        if !same {
                            self.say(name, format!("{} is set, {how} {}", short(&value), short(read)));
                        }
                    }
                    rows.push((row.id, value));
                }
                Err(error) if is_refused(&error) => {}
                Err(error) => self.say(name, format!("insert of {}: {}", short(&value), short(error.to_string()))),
            }
        }
        let stored =
            |value: &V| rows.iter().any(|(_, row)| row.as_ref().is_some_and(|row| compare(row, value).is_eq()));
        for value in &values {
            type Holds = fn(Ordering) -> bool;
            let some = || Some(value.clone());
            let conditions: [(&str, Filter<Extreme>, Holds); 8] = [
                ("eq", column.eq(some()), Ordering::is_eq),
                ("ne", column.ne(some()), Ordering::is_ne),
                ("lt", column.lt(some()), Ordering::is_lt),
                ("le", column.le(some()), Ordering::is_le),
                ("gt", column.gt(some()), Ordering::is_gt),
                ("ge", column.ge(some()), Ordering::is_ge),
                ("in", column.is_in([some(), some()]), Ordering::is_eq),
                ("not in", column.not_in([some()]), Ordering::is_ne),
            ];
            for (what, filter, holds) in conditions {
                if !ordered && matches!(what, "lt" | "le" | "gt" | "ge") {
                    continue;
                }
                let expected: Vec<i64> = rows
                    .iter()
                    .filter(|(_, row)| row.as_ref().is_some_and(|row| holds(compare(row, value))))
                    .map(|(id, _)| *id)
                    .collect();
                match repo.pluck(Extreme::ID, Query::filter(filter).order_by(Extreme::ID.asc())).await {
                    Ok(found) if found == expected => {}
                    Ok(found) => {
                        let shown = |ids: &[i64]| -> Vec<String> {
                            ids.iter().map(|id| short(&rows.iter().find(|(row, _)| row == id).unwrap().1)).collect()
                        };
                        self.say(
                            name,
                            format!("{what} {}: {:?}, not {:?}", short(value), shown(&found), shown(&expected)),
                        );
                    }
                    Err(error) if is_refused(&error) && !stored(value) => {}
                    Err(error) => self.say(name, format!("{what} {}: {}", short(value), short(error.to_string()))),
                }
            }
        }
        // Orders, whole and by pages.
        if ordered {
            self.orders(column, of, compare, &rows).await;
        }
        // Groups.
        let mut groups: Vec<(Option<V>, i64)> = Vec::new();
        for (_, value) in &rows {
            let same = |other: &Option<V>| match (other, value) {
                (Some(a), Some(b)) => compare(a, b).is_eq(),
                (a, b) => a.is_none() == b.is_none(),
            };
            match groups.iter_mut().find(|(other, _)| same(other)) {
                Some((_, count)) => *count += 1,
                None => groups.push((value.clone(), 1)),
            }
        }
        match repo.pluck((column, Aggregate::<Extreme, i64>::count_all()), Query::group_by(column)).await {
            Ok(found) => {
                let as_expected = found.len() == groups.len()
                    && found.iter().all(|(value, count)| {
                        groups.iter().any(|(other, expected)| {
                            count == expected
                                && match (other, value) {
                                    (Some(a), Some(b)) => compare(a, b).is_eq(),
                                    (a, b) => a.is_none() == b.is_none(),
                                }
                        })
                    });
                if !as_expected {
                    self.say(name, format!("groups: {}, not {}", short(&found), short(&groups)));
                }
            }
            Err(error) => self.say(name, format!("groups: {}", short(error.to_string()))),
        }
        // The least and the greatest.
        let greatest = rows.iter().filter_map(|(_, row)| row.clone()).max_by(&compare);
        let least = rows.iter().filter_map(|(_, row)| row.clone()).min_by(&compare);
        for (what, aggregate, expected) in [("min", column.min(), least), ("max", column.max(), greatest)] {
            if !ordered {
                continue;
            }
            match repo.aggregate(aggregate, Query::new()).await {
                Ok(found) => {
                    let same = match (&found, &expected) {
                        (Some(a), Some(b)) => compare(a, b).is_eq(),
                        (a, b) => a.is_none() == b.is_none(),
                    };
                    if !same {
                        self.say(name, format!("{what}: {}, not {}", short(&found), short(&expected)));
                    }
                }
                Err(error) => self.say(name, format!("{what}: {}", short(error.to_string()))),
            }
        }
        // Bulk updates, and changes of one row: what is taken as a value, or nothing.
        for value in &values {
            let marked = repo.insert(Extreme::build()).await.unwrap();
            let mine = || Query::filter(Extreme::ID.eq(marked.id));
            match repo.update_all(mine(), [column.to(Some(value.clone()))]).await {
                Ok(changed) => {
                    let read = repo.get_or_fail::<Extreme>(marked.id, Query::new()).await.unwrap();
                    let same = of(&read).as_ref().is_some_and(|read| compare(read, value).is_eq());
                    if changed != 1 || !same {
                        self.say(name, format!("update_all to {}: {changed}, {}", short(value), short(of(&read))));
                    }
                }
                Err(error) if is_refused(&error) && !stored(value) => {}
                Err(error) => self.say(name, format!("update_all to {}: {}", short(value), short(error.to_string()))),
            }
            match repo.update(marked.change().set(column, Some(value.clone()))).await {
                Ok(updated) => {
                    let read = repo.get_or_fail::<Extreme>(marked.id, Query::new()).await.unwrap();
                    for read in [of(&read), of(&updated)] {
                        if !read.as_ref().is_some_and(|read| compare(read, value).is_eq()) {
                            self.say(name, format!("update to {}: {}", short(value), short(read)));
                        }
                    }
                }
                Err(error) if is_refused(&error) && !stored(value) => {}
                Err(error) => self.say(name, format!("update to {}: {}", short(value), short(error.to_string()))),
            }
            repo.delete(&marked).await.unwrap();
        }
    }

    async fn orders<V>(
        &mut self,
        column: Column<Extreme, Option<V>>,
        of: fn(&Extreme) -> &Option<V>,
        compare: fn(&V, &V) -> Ordering,
        rows: &[(i64, Option<V>)],
    ) where
        V: Debug + Clone + Send + Sync + 'static,
        Option<V>: ColumnType + IntoColumn<Option<V>>,
    {
        let (name, repo) = (column.name(), self.repo.clone());
        let nulls_first = repo.all(Query::<Extreme>::order_by(column.asc())).await.unwrap();
        let nulls_first = nulls_first.first().is_some_and(|row| of(row).is_none());
        let sorted = |ascending: bool| {
            let mut sorted = rows.to_vec();
            sorted.sort_by(|(a, left), (b, right)| {
                let by_value = match (left, right) {
                    (Some(left), Some(right)) => compare(left, right),
                    (None, None) => Ordering::Equal,
                    (None, Some(_)) if nulls_first => Ordering::Less,
                    (Some(_), None) if !nulls_first => Ordering::Less,
                    _ => Ordering::Greater,
                };
                let by_value = if ascending { by_value } else { by_value.reverse() };
                by_value.then(a.cmp(b))
            });
            sorted.into_iter().map(|(id, _)| id).collect::<Vec<i64>>()
        };
        for ascending in [true, false] {
            let order = if ascending { column.asc() } else { column.desc() };
            let query = Query::<Extreme>::order_by(order).order_by(Extreme::ID.asc());
            let expected = sorted(ascending);
            let all = repo.pluck(Extreme::ID, query.clone()).await.unwrap();
            if all != expected {
                self.say(name, format!("order, ascending {ascending}: {all:?}, not {expected:?}"));
            }
            let mut batches = repo.in_batches(query.clone(), 1).unwrap();
            let mut found = Vec::new();
            let ended = loop {
                match batches.next().await {
                    Ok(Some(read)) => found.extend(read.iter().map(|row| row.id)),
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
                if found.len() > 100 {
                    break Some(Error::other("never ends"));
                }
            };
            match ended {
                None if found == expected => {}
                None => self.say(name, format!("batches, ascending {ascending}: {found:?}, not {expected:?}")),
                // Of which MariaDB sorts by the beginning.
                Some(error) if error.to_string().contains("pages are sorted by") => {}
                Some(error) => self.say(name, format!("batches, ascending {ascending}: {}", short(error.to_string()))),
            }
            let mut found = Vec::new();
            let mut page = Page::first(1);
            let ended = loop {
                match repo.page(query.clone(), page).await {
                    Ok(read) => {
                        found.extend(read.rows.iter().map(|row| row.id));
                        match read.cursor(0) {
                            Some(cursor) if read.has_next => page = Page::after(cursor.clone(), 1),
                            _ => break None,
                        }
                    }
                    Err(error) => break Some(error),
                }
                if found.len() > 100 {
                    break Some(Error::other("never ends"));
                }
            };
            match ended {
                None if found == expected => {}
                None => self.say(name, format!("pages, ascending {ascending}: {found:?}, not {expected:?}")),
                Some(error) if error.to_string().contains("pages are sorted by") => {}
                Some(error) => self.say(name, format!("pages, ascending {ascending}: {}", short(error.to_string()))),
            }
        }
    }
}
