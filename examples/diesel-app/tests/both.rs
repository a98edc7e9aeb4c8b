//! The application before and after: the same behaviour, and few lines that change.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used)]

macro_rules! behaves {
    ($module:ident) => {
        mod $module {
            use diesel::prelude::*;
            use diesel_app::$module::*;

            #[test]
            fn the_page_and_the_report() {
                let mut conn = SqliteConnection::establish(":memory:").unwrap();
                migrate(&mut conn).unwrap();
                migrate(&mut conn).unwrap();
                let ada = add_author(&mut conn, "Ada").unwrap();
                let bob = add_author(&mut conn, "Bob").unwrap();
                add_author(&mut conn, "Cy").unwrap();
                let engines = publish(&mut conn, ada, "On engines", "At last").unwrap();
                publish(&mut conn, ada, "On notes", "Read G first").unwrap();
                publish(&mut conn, bob, "On ships", "A first attempt").unwrap();
                say(&mut conn, engines, bob, "Splendid").unwrap();
                conn.transaction::<(), diesel::result::Error, _>(|conn| {
                    diesel::insert_into(schema::posts::table)
                        .values((schema::posts::author_id.eq(bob), schema::posts::title.eq("A draft")))
                        .execute(conn)?;
                    Ok(())
                })
                .unwrap();
                assert_eq!(
                    front_page(&mut conn).unwrap(),
                    [
                        "Ada",
                        "  On engines",
                        "    Ada: At last",
                        "    Bob: Splendid",
                        "  On notes",
                        "    Ada: Read G first",
                        "Bob",
                        "  On ships",
                        "    Bob: A first attempt",
                        "Cy",
                    ]
                );
                assert_eq!(report(&mut conn).unwrap(), [("Ada".to_owned(), 2), ("Bob".to_owned(), 1)]);
                assert!(publish(&mut conn, 99, "By no author", "…").is_err());
                assert_eq!(front_page(&mut conn).unwrap().len(), 10);
                // On a page inside of a transaction that the application has begun.
                conn.transaction::<(), diesel::result::Error, _>(|conn| {
                    add_author(conn, "Dee")?;
                    assert_eq!(front_page(conn).unwrap().last().unwrap(), "Dee");
                    Ok(())
                })
                .unwrap();
            }
        }
    };
}

behaves!(before);
behaves!(after);

#[test]
fn fewer_than_50_lines_change() {
    let before: Vec<&str> = include_str!("../src/before.rs").lines().collect();
    let after: Vec<&str> = include_str!("../src/after.rs").lines().collect();
    let kept = common(&before, &after);
    let (removed, added) = (before.len() - kept, after.len() - kept);
    println!("{removed} lines go, {added} lines come");
    assert!(removed + added < 50, "{removed} lines go and {added} lines come");
}

/// The length of the longest common subsequence: the lines that a diff keeps.
fn common(before: &[&str], after: &[&str]) -> usize {
    let mut row = vec![0; after.len() + 1];
    for line in before {
        let mut diagonal = 0;
        for (at, other) in after.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if line == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    row[after.len()]
}
