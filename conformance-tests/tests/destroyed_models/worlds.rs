//! The models of the suite, by fixture: each fixture is a world with tables of its own.

use assoc_core::driver::BoxFuture;
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::ModelDef;
use assoc_repo::DestroyReport;
use assoc_repo::prelude::*;

mod models {
    pub(crate) use conformance_models::*;
    pub(crate) use conformance_written_models::*;
}

/// By which call rows are destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Rows,
    Query,
}

/// What a call came to, and what its preview said.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) preview: Option<DestroyReport>,
    pub(crate) ended: Result<DestroyReport>,
}

type Destroy = for<'r> fn(&'r Repo, Vec<KeyTuple>, Call) -> BoxFuture<'r, Result<Done>>;

/// A model whose rows can be destroyed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) def: &'static ModelDef,
    pub(crate) destroy: Destroy,
}

impl Kind {
    const fn of<M: Model>() -> Kind {
        Kind { def: M::DEF, destroy: |repo, keys, call| Box::pin(destroy::<M>(repo, keys, call)) }
    }
}

async fn destroy<M: Model>(repo: &Repo, keys: Vec<KeyTuple>, call: Call) -> Result<Done> {
    let mut rows: Vec<M> = repo.all(Query::<M>::unscoped()).await?;
    rows.retain(|row| M::DEF.key_of(row).is_some_and(|key| keys.contains(&key)));
    let preview = match &rows[..] {
        [row] => Some(repo.preview_destroy(row).await?),
        _ => None,
    };
    let ended = match call {
        Call::Rows => repo.destroy_rows(&rows).await,
        Call::Query => {
            let own = |row: &M| M::PRIMARY_KEY.iter().map(|at| (*at, row.value(*at).into_owned())).collect();
            let keys: Vec<Vec<(usize, Value<'static>)>> = rows.iter().map(own).collect();
            let filter = Filter::new(assoc_core::metadata::Expr::has_one_of(M::DEF, &keys));
            repo.destroy_all(Query::<M>::unscoped().filter(filter)).await
        }
    };
    Ok(Done { preview, ended })
}

/// A fixture: its models, of which some share a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    pub(crate) name: &'static str,
    pub(crate) kinds: &'static [Kind],
}

macro_rules! worlds {
    ($($world:ident: $($model:ident)+;)+) => {
        pub(crate) const WORLDS: &[World] = &[$(
            World { name: stringify!($world), kinds: &[$(Kind::of::<models::$world::$model>()),+] }
        ),+];
    };
}

worlds! {
    archive: Desk Paper Label Stamp;
    atlas: Sheet Placement Tile;
    binders: Binder Sheet Slip Folder Tab Label Note Filing StampedFiling Topic;
    blog: Author Gravatar Post Comment Columnist;
    callbacks: Author Article Remark Profile Membership Club Label Page Book Sale Audit Purse Coin;
    choirs: Choir Singer Seat PromptedSeat;
    circles: Nation Town Crew Sailor Writ Court Clerk Dancer Bolt Nut NumberedBolt NumberedNut;
    circus: Troupe Director Booking Act Town Clown Acrobat Performer Poster Notice Mention Review Prop Costume;
    clinic: Physician Doctor Appointment Patient Document Section Paragraph Supplier SupplierAccount AccountHistory;
    counted: Writer Article Comment Mark Room Chair Firm Worker Branch Player Team Contract Shelf Volume Queue Job;
    dependents: Destroying Deleting Nullifying Restricting Excepting Leaving Note Stamp Letter Membership Fee Group Choosing Task Car Linked Tag Gallery Shelf Picture LastPicture Room Desk Lamp Bulb;
    diary: Person Event Reading Article;
    firms: Firm Client Seal Person Seat Club;
    folders: Folder Document;
    followers: Keeper Badge Locker Album Photo Desk Lamp Wagon;
    forum: Member Message;
    graphs: Company User Post Comment Order Contract Category Label Catalog Entry Partner Place Employee Desk;
    guild: Company User Account Post Comment Tag Tagging Topic Membership Group Picture Shelf Book Dog Keeper;
    join_rows: Playlist Entry PlacedEntry Song Take Writer Credit;
    keys: Shelf Book Hall Seat Ticket Country City Object Name Firm Client Account Booking Reading;
    kinds: Sample Moment Extreme Bounded;
    league: Team Player Coach Stadium;
    library: Reader Loan OverdueLoan Stamp Volume Topic Label;
    magazine: Author Article Topic Remark;
    mail: Letter Inhabitant Company;
    nested: Writer Essay Labelling Label Theme Remark Subscription Subscriber Letter List Portfolio Showing Gallery Contract Agency Town Member ClubMembership Club Sponsor Event;
    orchard: Orchard Tree Nest Basket Deed Plot Bed Shoot Ring Stump;
    newsroom: Section Topic Story Edition Letter Posting Reporter Market Price;
    museum: Room Exhibit Statue Placard Work Sculpture Topic Visit;
    options: Customer Order Note SpecialNote NoteTaker LastNote Buyer Purchase LaterNote Pointer;
    orchestra: Musician Engagement Ensemble Solo Rehearsal Concert Contract Lease Pledge Piece;
    parcels: Parcel Citizen Firm Courier Locker Rack Stranger Note;
    pictures: Picture AnyPicture Employee Product Tagging Tag Article Category Person Keyword Rubric;
    pirates: Pirate Ship Bird Parrot Oath Crew;
    quizzes: Quiz Word QuizWord HeavyWord;
    recipes: Recipe Ingredient;
    registry: Account Entry Seat LogLine Animal Dog Ticket Stamp Document Member;
    removals: Album Photo Remark Print Cover Sticker Back Loan Reminder Reader;
    school: Lesson Attendance Student;
    sheets: Sheet;
    shop: Product Review;
    stored: Measure SampleTaken Slugged Versioned Narrow Wide Circuit Folder;
    studio: Firm Account Image Chair Ticket Artist Membership Guild Follow Style;
    tallies: Club Member Payment Label ClubLabel Note;
    tenancy: Project Member Task Milestone Place Assignment;
    ways: Critic Remark Duel Ledger LedgerEntry Holder Keeping Rack Volume Loan;
    workshop: Maker Piece Mark Bench Shift Room Order Tool MakerTool;
}
