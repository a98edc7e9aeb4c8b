//! Aggregates beside rows: one grouped statement for each aggregate and level, however many owners there are, and by loading
//! where no statement says which rows an owner has.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, KeyOrder, Level, cases};
use conformance_models::tallies::{self, About, Club, Label, Member, Note, Payment};

cases! { "tallies", Level::Kind;
    every_aggregate,
    filters_and_shared_statements,
    below_other_preloads,
    one_statement_for_two_places,
    behind_others,
    chosen_rows,
    to_one_and_polymorphic,
    join_tables,
    scopes_of_owners,
    rows_in_hand,
    aligned_with_owners,
    no_owners,
    of_a_recursion,
    with_joins,
    filtered_repos,
    refused,
    explained,
}

/// The values of some fields of clubs, each with the club's name.
macro_rules! values {
    ($cx:expr, $label:literal, $rows:expr, $($field:ident),+) => {
        for row in $rows.iter() {
            let mut shown = Vec::new();
            $(shown.push(format!("{:?}", row.$field()?));)+
            $cx.note($label, format!("{} {}", row.id, shown.join(", ")));
        }
    };
}

async fn every_aggregate(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let query = Query::preload((
        Club::MEMBERS.count_into(Club::MEMBERS_COUNT),
        Club::MEMBERS.aggregate_into(Club::AGES_COUNT, Member::AGE.count()),
        Club::MEMBERS.aggregate_into(Club::OTHERS_COUNT, Member::AGE.count_distinct()),
        Club::MEMBERS.aggregate_into(Club::AGE_SUM, Member::AGE.sum()),
        Club::MEMBERS.aggregate_into(Club::AGE_MEAN, Member::AGE.avg()),
        Club::MEMBERS.aggregate_into(Club::AGE_MOST, Member::AGE.max()),
        Club::MEMBERS.aggregate_into(Club::FEES, Member::FEE.sum()),
        Club::MEMBERS.aggregate_into(Club::FEE_MEAN, Member::FEE.avg()),
        Club::MEMBERS.aggregate_into(Club::FIRST_NAME, Member::NAME.min()),
    ));
    let clubs = cx.step("one statement for all of them", repo.all_by_key(query)).await?;
    values!(cx, "counts", clubs, members_count, ages_count, others_count);
    values!(cx, "ages", clubs, age_sum, age_most, first_name);
    for club in &clubs {
        let members = repo.all(Query::filter(Member::CLUB_ID.eq(club.id))).await?;
        let ages: Vec<f64> = members.iter().filter_map(|member| member.age).map(f64::from).collect();
        let fees: Vec<_> = members.iter().filter_map(|member| member.fee).collect();
        let mean = (!ages.is_empty()).then(|| ages.iter().sum::<f64>() / ages.len() as f64);
        cx.require(*club.age_mean()? == mean, "the mean is that of the rows")?;
        let sum = (!fees.is_empty()).then(|| fees.iter().sum());
        cx.require(*club.fees()? == sum, "the sum of decimals is exact")?;
        cx.require(club.fee_mean()?.is_some() == sum.is_some(), "a mean where there is a sum")?;
    }
    Ok(())
}

async fn filters_and_shared_statements(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let adults = || Club::MEMBERS.filter(Member::AGE.ge(18));
    let query = Query::preload((
        Club::MEMBERS.limit(1).order_by(Member::ID.asc()),
        Club::MEMBERS.count_into(Club::MEMBERS_COUNT),
        adults().count_into(Club::OTHERS_COUNT),
        adults().aggregate_into(Club::AGE_SUM, Member::AGE.sum()),
        // The same twice is once.
        adults().count_into(Club::OTHERS_COUNT),
    ));
    let clubs = cx.step("the first member, all counted, adults counted and summed", repo.all_by_key(query)).await?;
    values!(cx, "clubs", clubs, members_count, others_count, age_sum);
    cx.require(clubs.iter().all(|club| club.members.loaded().is_some_and(|members| members.len() < 2)), "one member")?;
    let declared = Query::preload(Club::ADULTS.count_into(Club::OTHERS_COUNT));
    let declared = cx.step("the association's own condition", repo.all_by_key(declared)).await?;
    values!(cx, "adults", declared, others_count);
    Ok(())
}

async fn below_other_preloads(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let query = Query::preload(Club::MEMBERS.with((
        Member::PAYMENTS.count_into(Member::PAYMENTS_COUNT),
        Member::PAYMENTS.aggregate_into(Member::PAID, Payment::AMOUNT.sum()),
    )));
    let clubs = cx.step("one statement for the members of all clubs", repo.all_by_key(query)).await?;
    for club in &clubs {
        values!(cx, "members", club.members()?, payments_count, paid);
    }
    let query = Query::preload(
        Club::MEMBERS
            .filter(Member::AGE.gt(1000))
            .with((Member::PAYMENTS.count_into(Member::PAYMENTS_COUNT), Member::CLUB.count_into(Member::CLUBS_COUNT))),
    );
    cx.step("an empty level costs nothing more", repo.all_by_key(query)).await?;
    Ok(())
}

async fn one_statement_for_two_places(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let counted = || Member::PAYMENTS.count_into(Member::PAYMENTS_COUNT);
    let query = Query::preload((Club::MEMBERS.with(counted()), Club::OLDEST.with(counted())));
    let clubs = cx.step("members and the oldest", repo.all_by_key(query)).await?;
    for club in &clubs {
        values!(cx, "members", club.members()?, payments_count);
        values!(cx, "oldest", club.oldest()?.into_iter().collect::<Vec<_>>(), payments_count);
    }
    Ok(())
}

async fn behind_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let query = Query::preload((
        Club::PAYMENTS.count_into(Club::MEMBERS_COUNT),
        Club::PAYMENTS.aggregate_into(Club::FEES, Payment::AMOUNT.sum()),
    ));
    let clubs = cx.step("payments of members, joined", repo.all_by_key(query)).await?;
    values!(cx, "clubs", clubs, members_count, fees);
    let query = Query::preload((
        Club::PAYERS.count_into(Club::MEMBERS_COUNT),
        Club::PAYERS.aggregate_into(Club::AGE_SUM, Member::AGE.sum()),
        Club::DIFFERENT_PAYERS.count_into(Club::OTHERS_COUNT),
        Club::DIFFERENT_PAYERS.aggregate_into(Club::AGES_COUNT, Member::AGE.count()),
        Club::DIFFERENT_PAYERS.aggregate_into(Club::FEES, Member::FEE.sum()),
        Club::DIFFERENT_PAYERS.aggregate_into(Club::FIRST_NAME, Member::NAME.max()),
    ));
    let clubs = cx.step("who paid, as often as they did, and each once", repo.all_by_key(query)).await?;
    values!(cx, "as often", clubs, members_count, age_sum);
    values!(cx, "once", clubs, others_count, ages_count, fees, first_name);
    let notes = Query::preload((
        Club::MEMBER_NOTES.count_into(Club::MEMBERS_COUNT),
        Club::MEMBER_NOTES.aggregate_into(Club::AGE_SUM, Note::WEIGHT.sum()),
    ));
    let clubs = cx.step("notes about members", repo.all_by_key(notes)).await?;
    values!(cx, "notes", clubs, members_count, age_sum);
    Ok(())
}

async fn chosen_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let query = Query::preload((
        Club::ELDEST.count_into(Club::MEMBERS_COUNT),
        Club::OLDEST.count_into(Club::OTHERS_COUNT),
        Club::MEMBERS.limit(1).offset(1).count_into(Club::AGES_COUNT),
    ));
    let clubs = cx.step("counts are cut", repo.all_by_key(query)).await?;
    values!(cx, "clubs", clubs, members_count, others_count, ages_count);
    let query = Query::preload((
        Club::ELDEST.count_into(Club::MEMBERS_COUNT),
        Club::ELDEST.aggregate_into(Club::AGE_SUM, Member::AGE.sum()),
        Club::OLDEST.aggregate_into(Club::FEES, Member::FEE.sum()),
    ));
    let clubs = cx.step("sums are of the chosen rows", repo.all_by_key(query)).await?;
    values!(cx, "clubs", clubs, members_count, age_sum, fees);
    let query = Query::preload((
        Club::FIRST_PAYERS.count_into(Club::MEMBERS_COUNT),
        Club::FIRST_PAYERS.aggregate_into(Club::AGE_SUM, Member::AGE.sum()),
        Club::FIRST_PAYERS.aggregate_into(Club::AGE_MEAN, Member::AGE.avg()),
        Club::FIRST_PAYERS.aggregate_into(Club::AGE_MOST, Member::AGE.max()),
        Club::FIRST_PAYERS.aggregate_into(Club::FEES, Member::FEE.sum()),
        Club::FIRST_PAYERS.aggregate_into(Club::FEE_MEAN, Member::FEE.avg()),
    ));
    let clubs = cx.step("a limit behind others: the rows are loaded", repo.all_by_key(query)).await?;
    values!(cx, "clubs", clubs, members_count, age_sum, age_mean, age_most);
    values!(cx, "fees", clubs, fees, fee_mean);
    Ok(())
}

async fn to_one_and_polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let members = Query::preload(Member::CLUB.count_into(Member::CLUBS_COUNT));
    let members = cx.step("whether there is a club", repo.all_by_key(members)).await?;
    values!(cx, "members", members, clubs_count);
    let query = Query::preload((
        Club::NOTES.count_into(Club::MEMBERS_COUNT),
        Club::NOTES.aggregate_into(Club::AGE_SUM, Note::WEIGHT.sum()),
    ));
    let clubs = cx.step("notes about clubs", repo.all_by_key(query)).await?;
    values!(cx, "clubs", clubs, members_count, age_sum);
    let notes = cx
        .step("what notes are about", repo.all_by_key(Query::preload(Note::ABOUT.count_into(Note::ABOUT_COUNT))))
        .await?;
    values!(cx, "notes", notes, about_count);
    let counted = (
        About::CLUB.with(Club::MEMBERS.count_into(Club::MEMBERS_COUNT)),
        About::MEMBER.with(Member::PAYMENTS.count_into(Member::PAYMENTS_COUNT)),
    );
    let notes = cx.step("each type has its own", repo.all_by_key(Query::preload(Note::ABOUT.with(counted)))).await?;
    for note in &notes {
        let shown = match note.about()? {
            Some(About::Club(club)) => format!("club {:?}", club.members_count()?),
            Some(About::Member(member)) => format!("member {:?}", member.payments_count()?),
            None => "nothing".to_owned(),
        };
        cx.note("about", shown);
    }
    Ok(())
}

async fn join_tables(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let query = Query::preload((
        Club::LABELS.count_into(Club::MEMBERS_COUNT),
        Club::LABELS.aggregate_into(Club::AGE_SUM, Label::WEIGHT.sum()),
        Club::LABELS.filter(Label::WEIGHT.gt(3)).count_into(Club::OTHERS_COUNT),
        Club::LABELS.with(Label::CLUBS.count_into(Label::CLUBS_COUNT)),
    ));
    let clubs = cx.step("labels, and how many clubs have each", repo.all_by_key(query)).await?;
    values!(cx, "clubs", clubs, members_count, age_sum, others_count);
    for club in &clubs {
        let mut counts: Vec<i64> =
            club.labels()?.iter().filter_map(|label| label.clubs_count.loaded().copied()).collect();
        counts.sort_unstable();
        cx.note("labels", format!("{counts:?}"));
    }
    Ok(())
}

async fn scopes_of_owners(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let query = Query::preload((
        Club::NAMESAKES.count_into(Club::MEMBERS_COUNT),
        Club::NAMESAKES.aggregate_into(Club::AGE_MOST, Member::AGE.max()),
        Club::NAMESAKES.aggregate_into(Club::AGES_COUNT, Member::AGE.count_distinct()),
    ));
    let clubs = cx.step("one look-up for each scope, shared by all", repo.all_by_key(query)).await?;
    values!(cx, "clubs", clubs, members_count, age_most, ages_count);
    let text = Query::preload(Club::NAMESAKES.aggregate_into(Club::FIRST_NAME, Member::NAME.min()));
    let error = cx.fails("texts are for the database to compare", repo.all(text)).await?;
    cx.note("error", error);
    let text = Query::preload(Club::NAMESAKES.aggregate_into(Club::MEMBERS_COUNT, Member::NAME.count()));
    let clubs = cx.step("counting them is not comparing", repo.all_by_key(text)).await?;
    values!(cx, "clubs", clubs, members_count);
    Ok(())
}

async fn rows_in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let mut clubs = repo.all_by_key(Query::preload(Club::MEMBERS.order_by(Member::ID.asc()))).await?;
    cx.require(clubs[0].members_count.is_not_loaded(), "nothing asked for it")?;
    let preload = || {
        (
            Club::MEMBERS.count_into(Club::MEMBERS_COUNT),
            Club::MEMBERS.with(Member::PAYMENTS.count_into(Member::PAYMENTS_COUNT)),
        )
    };
    cx.step("clubs, and the members that they hold", repo.preload(&mut clubs, preload())).await?;
    values!(cx, "clubs", clubs, members_count);
    for club in &clubs {
        values!(cx, "members", club.members()?, payments_count);
    }
    repo.insert(Member::build().set(Member::CLUB_ID, Some(3)).set(Member::NAME, "New")).await?;
    cx.require(*clubs[2].members_count()? == 0, "a number is of the moment it was read")?;
    // The same club twice.
    clubs.push(clubs[2].clone());
    cx.step("counted again", repo.preload(&mut clubs, Club::MEMBERS.count_into(Club::MEMBERS_COUNT))).await?;
    values!(cx, "again", clubs, members_count);
    // Rows that two owners share stay one row.
    let payments = repo.all_by_key(Query::preload(Payment::MEMBER)).await?;
    let mut two = vec![payments[0].clone(), payments[1].clone()];
    cx.step(
        "below shared rows",
        repo.preload(&mut two, Payment::MEMBER.with(Member::PAYMENTS.count_into(Member::PAYMENTS_COUNT))),
    )
    .await?;
    cx.require(*two[0].member()?.payments_count()? == 2, "counted")?;
    cx.require(std::ptr::eq(two[0].member()?, two[1].member()?), "still one row")
}

async fn aligned_with_owners(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let mut members = repo.all_by_key(Query::<Member>::new()).await?;
    members.push(members[0].clone());
    let counts = cx.step("counts", repo.count_for(&members, Member::PAYMENTS)).await?;
    cx.note("counts", format!("{counts:?}"));
    let sums = cx.step("sums", repo.aggregate_for(&members, Member::PAYMENTS, Payment::AMOUNT.sum())).await?;
    cx.note("sums", format!("{sums:?}"));
    // A key that is NULL has no rows.
    let ages =
        cx.step("by a key that may be NULL", repo.aggregate_for(&members, Member::CLUB, Club::NAME.min())).await?;
    cx.note("clubs", format!("{ages:?}"));
    let none: Vec<Member> = Vec::new();
    let none = cx.step("of nobody", repo.aggregate_for(&none, Member::PAYMENTS, Payment::AMOUNT.sum())).await?;
    cx.require(none.is_empty(), "nothing for no owners")
}

async fn no_owners(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let query = Query::filter(Club::NAME.eq("no such club")).preload(Club::MEMBERS.count_into(Club::MEMBERS_COUNT));
    let clubs = cx.step("one statement, for the clubs", repo.all(query)).await?;
    cx.require(clubs.is_empty(), "none")?;
    let mut none: Vec<Club> = Vec::new();
    cx.step("no statement", repo.preload(&mut none, Club::MEMBERS.count_into(Club::MEMBERS_COUNT))).await
}

async fn of_a_recursion(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let counted = Member::SPONSORED.count_into(Member::SPONSORED_COUNT);
    let query = Query::filter(Member::SPONSOR_ID.is_null())
        .preload((counted.clone(), Member::SPONSORED.with(counted).recursive(usize::MAX)));
    let members = cx.step("all levels counted by one statement", repo.all_by_key(query)).await?;
    let mut waiting: Vec<&Member> = members.iter().collect();
    while let Some(member) = waiting.pop() {
        let sponsored = member.sponsored()?;
        cx.require(*member.sponsored_count()? == sponsored.len() as i64, "as many as are loaded")?;
        waiting.extend(sponsored);
    }
    Ok(())
}

async fn with_joins(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let query = Query::eager_load(Club::MEMBERS.with(Member::PAYMENTS.count_into(Member::PAYMENTS_COUNT)))
        .preload(Club::PAYMENTS.count_into(Club::MEMBERS_COUNT))
        .limit(2);
    let clubs = cx.step("members by a join, payments counted", repo.all_by_key(query)).await?;
    values!(cx, "clubs", clubs, members_count);
    for club in &clubs {
        values!(cx, "members", club.members()?, payments_count);
    }
    Ok(())
}

async fn filtered_repos(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let grown = repo.filtered(|model| {
        (*model == *Member::DEF).then(|| assoc_core::metadata::Expr::Compare {
            left: assoc_core::metadata::Operand::Column(Member::DEF.columns[4].column_ref()),
            op: assoc_core::metadata::Comparison::Ge,
            right: assoc_core::metadata::Operand::Value(Value::Int(18)),
        })
    });
    let query = Query::preload((
        Club::MEMBERS.count_into(Club::MEMBERS_COUNT),
        Club::PAYMENTS.count_into(Club::OTHERS_COUNT),
        Club::ELDEST.aggregate_into(Club::AGE_SUM, Member::AGE.sum()),
        Club::NAMESAKES.aggregate_into(Club::AGE_MOST, Member::AGE.max()),
    ));
    let clubs = cx.step("rows that the repo hides do not count", grown.all_by_key(query)).await?;
    values!(cx, "clubs", clubs, members_count, others_count, age_sum, age_most);
    Ok(())
}

async fn refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let two =
        Query::preload((Club::MEMBERS.count_into(Club::MEMBERS_COUNT), Club::PAYMENTS.count_into(Club::MEMBERS_COUNT)));
    let error = cx.fails("one field, two counts", repo.all(two)).await?;
    cx.note("error", error);
    let below = Club::MEMBERS.with(Member::PAYMENTS).count_into(Club::MEMBERS_COUNT);
    let error = cx.fails("rows below a count", repo.all(Query::preload(below))).await?;
    cx.note("error", error);
    let joined = Member::PAYMENTS.joined(Payment::AMOUNT).sum();
    let joined = Query::preload(Club::MEMBERS.aggregate_into(Club::FEES, joined));
    let error = cx.fails("of a joined column", repo.all(joined)).await?;
    cx.note("error", error);
    let clubs = repo.all(Query::<Club>::new()).await?;
    let error = clubs[0].members_count().err().map(|error| error.to_string()).unwrap_or_default();
    cx.note("not loaded", error);
    let budget = Query::preload(Club::MEMBERS.count_into(Club::MEMBERS_COUNT)).max_statements(1);
    let error = cx.fails("more statements than the query may cost", repo.all(budget)).await?;
    cx.require(matches!(error.kind(), ErrorKind::TooManyStatements { limit: 1, .. }), "a budget counts it")
}

async fn explained(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let query = Query::preload((
        Club::MEMBERS.with(Member::PAYMENTS.aggregate_into(Member::PAID, Payment::AMOUNT.sum())),
        Club::MEMBERS.count_into(Club::MEMBERS_COUNT),
        Club::DIFFERENT_PAYERS.aggregate_into(Club::FEES, Member::FEE.sum()),
        Club::FIRST_PAYERS.count_into(Club::OTHERS_COUNT),
        Club::NAMESAKES.count_into(Club::AGES_COUNT),
    ));
    let plan = repo.explain(&query)?;
    let (tree, statements) = plan.split_once("\n\n").unwrap_or((&plan, ""));
    cx.note("tree", format!("\n{tree}"));
    cx.require(statements.contains("GROUP BY"), "the grouped statements are shown")
}
