//! What clients ask for by name: parts of an allowed tree, each with its shape, and errors that say what is allowed.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{Include, IncludeProblem, InvalidInclude, Wanted};
use conformance_harness::{Context, KeyOrder, Level, cases};
use conformance_models::blog::{self, Author};
use conformance_models::tallies::{self, About, Club, Member, Note, Payment};

cases! { "includes", Level::Kind;
    shapes,
    refused_with_what_is_allowed,
    trees_of_names,
    types_of_their_own,
    of_any_depth,
}

fn allowed() -> Result<Include<Club>> {
    Include::of((
        Club::MEMBERS
            .filter(Member::AGE.is_not_null())
            .order_by(Member::AGE.desc())
            .limit(1)
            .with((Member::PAYMENTS.order_by(Payment::AMOUNT.desc()).limit(1), Member::NOTES)),
        Club::MEMBERS.count_into(Club::MEMBERS_COUNT),
        Club::PAYMENTS.aggregate_into(Club::FEES, Payment::AMOUNT.sum()),
    ))
}

async fn shapes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let allowed = allowed()?;
    for list in ["", "members", "members.payments, members_count", "fees,members,members.payments"] {
        let clubs = cx.step(list, repo.all_by_key(Query::preload(allowed.parse(list)?))).await?;
        for club in &clubs {
            let members: Option<Vec<String>> = club.members.loaded().map(|members| {
                let shown = |member: &Member| match member.payments.loaded() {
                    Some(payments) => {
                        let amounts: Vec<String> = payments.iter().map(|payment| payment.amount.to_string()).collect();
                        format!("{} {amounts:?}", member.name)
                    }
                    None => member.name.clone(),
                };
                members.iter().map(shown).collect()
            });
            let (count, fees) = (club.members_count.loaded(), club.fees.loaded());
            cx.note(&club.name, format!("{members:?} {count:?} {fees:?}"));
        }
    }
    cx.require(allowed.parse(" , ,")?.is_empty(), "a list of nothing")
}

fn invalid<T>(outcome: Result<T>) -> Result<InvalidInclude> {
    match outcome {
        Err(error) if error.is_invalid_include() => match error.into_kind() {
            ErrorKind::InvalidInclude(invalid) => Ok(invalid),
            other => Err(other.into()),
        },
        Err(error) => Err(error),
        Ok(_) => Err(Error::other("it is refused")),
    }
}

async fn refused_with_what_is_allowed(cx: &mut Context) -> Result<()> {
    let allowed = allowed()?;
    let many = vec!["members"; 21].join(",");
    let strange = format!("members.{}", "🦀'\"\u{0}".repeat(200));
    for list in [
        "secrets",
        "members.secrets",
        "members.payments.member",
        "members_count.members",
        "members..notes",
        "members.",
        "MEMBERS",
        "members.payments; DROP TABLE clubs",
        &many,
        &strange,
    ] {
        let invalid = invalid(allowed.parse(list))?;
        cx.note("error", &invalid);
        cx.require(invalid.to_string().len() < 1_000, "a message of any request is short")?;
        let is_name = matches!(invalid.problem(), IncludeProblem::NotAllowed { .. });
        cx.note("allowed there", format!("{is_name} {:?}", invalid.allowed()));
    }
    let deep = invalid(allowed.clone().at_most_levels(1).parse("members.notes"))?;
    cx.note("too deep", format!("{deep}: {:?}", deep.part()));
    let same = Include::<Club>::of((Club::MEMBERS.limit(1), Club::MEMBERS.limit(2)));
    cx.require(same.is_err(), "one place has one shape")
}

async fn trees_of_names(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let allowed = allowed()?;
    // As a GraphQL query selects: columns and associations.
    let mut wanted = Wanted::new();
    wanted.add(Wanted::ROOT, "name");
    wanted.add(Wanted::ROOT, "members_count");
    let members = wanted.add(Wanted::ROOT, "members");
    for name in ["id", "notes", "payments", "payments"] {
        wanted.add(members, name);
    }
    let error = invalid(allowed.pick(&wanted))?;
    cx.note("a column is no association", &error);
    let query = Query::preload(allowed.pick_known(&wanted)?);
    let clubs = cx.step("what is known of the selection", repo.all_by_key(query)).await?;
    let first = clubs[0].members()?;
    cx.require(first[0].notes.is_loaded() && first[0].payments().is_ok(), "both below members")?;
    cx.require(clubs[0].members_count()? == &3 && clubs[0].fees.is_not_loaded(), "what was selected, and no more")?;
    let picked = allowed.pick(&Wanted::from_iter(["members.payments", "fees"]))?;
    let clubs = cx.step("names one by one", repo.all_by_key(Query::preload(picked))).await?;
    cx.require(clubs[0].members()?[0].notes.state() == assoc_repo::LoadState::NotLoaded, "no notes")?;
    let listed = allowed.paths(["members", "members.payments"])?;
    cx.step("a client's list", repo.all_by_key(Query::preload(listed))).await.map(drop)
}

async fn types_of_their_own(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tallies::fixture(&repo).await?;
    let types = (About::CLUB.with(Club::MEMBERS), About::MEMBER.with((Member::PAYMENTS, Member::CLUB)));
    let allowed = Include::<Note>::of(Note::ABOUT.with(types))?;
    let query = Query::preload(allowed.parse("about.members,about.payments")?);
    let notes = cx.step("each type has what it knows", repo.all_by_key(query)).await?;
    for note in &notes {
        let fine = match note.about()? {
            Some(About::Club(club)) => club.members.is_loaded(),
            Some(About::Member(member)) => member.payments.is_loaded() && !member.club.is_loaded(),
            None => true,
        };
        cx.require(fine, "what was asked for")?;
    }
    let error = invalid(allowed.parse("about.notes"))?;
    cx.note("of all types", &error);
    Ok(())
}

async fn of_any_depth(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let allowed = Include::<Author>::of(Author::STUDENTS.with(Author::GRAVATAR).recursive(usize::MAX))?.at_most(3);
    let long = vec!["students"; 100_000].join(".");
    let ann = || Query::filter(Author::NAME.eq("Ann"));
    let query = ann().preload(allowed.parse(&format!("{long}.gravatar"))?);
    let authors = cx.step("100,001 names", repo.all(query)).await?;
    cx.require(authors[0].students()?[0].students()?[0].name == "Cyd", "as far as there are rows")?;
    let error = invalid(allowed.parse(&format!("{long}.posts")))?;
    cx.require(error.part() == "posts" && error.allowed() == ["gravatar", "students"], "what is allowed at the end")?;
    let three = Include::<Author>::of(Author::STUDENTS.recursive(3))?;
    cx.require(three.parse("students.students.students").is_ok(), "as many levels as were allowed")?;
    let error = invalid(three.parse("students.students.students.students"))?;
    cx.note("one more", &error);
    // Twice as many parts on each level, were they written out.
    let mut wide = Author::STUDENTS.preload();
    for _ in 0..60 {
        wide = wide.clone().with(wide);
    }
    let wide = Include::<Author>::of(wide)?;
    let query = ann().preload(wide.parse("students.students.students")?);
    cx.step("shared parts", repo.all(query)).await.map(drop)
}
