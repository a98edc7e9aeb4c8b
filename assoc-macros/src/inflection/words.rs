//! The words that no rule of [`super`] covers.

/// Nouns with one form for both numbers. They are compared as whole words: `ice` is among them, and `slice` is not.
pub(super) const UNCOUNTABLE: &[&str] = &[
    // What cannot be counted: substances.
    "air", "alcohol", "bacon", "beef", "blood", "bread", "butter", "carbon", "cardboard", "chalk", "dirt", "dust",
    "electricity", "flour", "food", "fuel", "garlic", "gold", "honey", "hydrogen", "ice", "iron", "jam", "lava", "leather",
    "linguine", "linguini", "macaroni", "marble", "mayonnaise", "methane", "milk", "mud", "nitrogen", "oxygen", "pasta",
    "quartz", "rice", "rum", "seafood", "smoke", "snow", "soap", "soil", "spaghetti", "steam", "timber", "veal", "wheat",
    "zinc",
    // Collections.
    "accommodation", "advertising", "baggage", "cash", "equipment", "evidence", "furniture", "garbage", "hardware",
    "homework", "housework", "information", "jewelry", "knowledge", "literature", "litter", "livestock", "luggage",
    "machinery", "money", "music", "poetry", "police", "punctuation", "rubbish", "scenery", "software", "stuff", "traffic",
    "transportation", "underwear", "vegetation", "wildlife",
    // Fields of study and pastimes.
    "arithmetic", "athletics", "biology", "botany", "chess", "dancing", "economics", "education", "engineering", "ethics",
    "fiction", "genetics", "golf", "grammar", "gymnastics", "judo", "karate", "linguistics", "logic", "magic", "mathematics",
    "physics", "psychology", "research", "shopping", "smoking", "tennis", "yoga", "zoology",
    // Qualities, states and acts.
    "adulthood", "advice", "aggression", "aid", "anger", "applause", "assistance", "chaos", "dignity", "enjoyment", "envy",
    "evolution", "fame", "flu", "fun", "gossip", "gratitude", "grief", "guilt", "happiness", "harm", "hate", "hatred",
    "health", "heat", "help", "honesty", "hospitality", "humour", "hunger", "importance", "inflation", "innocence", "irony",
    "lack", "laughter", "leisure", "lightning", "loneliness", "luck", "management", "mankind", "measles", "mumps", "nature",
    "news", "nonsense", "nurture", "nutrition", "obedience", "obesity", "patience", "pollution", "poverty", "pride",
    "publicity", "racism", "relaxation", "reliability", "respect", "revenge", "safety", "shame", "sleep", "stupidity",
    "sunshine", "symmetry", "thirst", "thunder", "trust", "unemployment", "unity", "validity", "vegetarianism", "vengeance",
    "violence", "vitality", "warmth", "wealth", "weather", "welfare", "wisdom",
    // Places, and what looks the same in both numbers.
    "aircraft", "chassis", "corps", "countryside", "crossroads", "debris", "deer", "gallows", "headquarters", "jeans",
    "scissors", "seaside", "series", "sheep", "species", "trousers", "subspecies"];

/// Singular and plural of words that are compared whole, because other words have their ends: `nova` is no plural of `novum`.
pub(super) const WORDS: &[(&str, &str)] = &[
    ("afterlife", "afterlives"), ("axis", "axes"), ("basis", "bases"), ("die", "dice"), ("dormouse", "dormice"),
    ("elf", "elves"), ("foot", "feet"), ("forefoot", "forefeet"), ("goose", "geese"), ("iris", "irises"), ("life", "lives"),
    ("louse", "lice"), ("midlife", "midlives"), ("mouse", "mice"), ("organon", "organa"), ("ovum", "ova"), ("ox", "oxen"),
    ("quorum", "quora"), ("titmouse", "titmice"), ("tooth", "teeth"), ("woodlouse", "woodlice"), ("yes", "yeses"),
    ("silex", "silices"), ("murex", "murices"), ("oasis", "oases"), ("fieldmouse", "fieldmice"), ("halflife", "halflives"), ("lowlife", "lowlives"), ("nightlife", "nightlives")];

/// Ends of words in the singular and in the plural: `grandchild` is a `child`.
pub(super) const ENDINGS: &[(&str, &str)] = &[
    ("child", "children"), ("person", "people"), ("quiz", "quizzes"), ("testis", "testes"), ("matrix", "matrices"),
    ("index", "indices"), ("vertex", "vertices"), ("appendix", "appendices"), ("codex", "codices"), ("seraph", "seraphim"),
    ("cherub", "cherubim"),
    // `-f` and `-fe` that become `-ves`. Others keep their `f`: `proofs`, `safes`.
    ("calf", "calves"), ("dwarf", "dwarves"), ("half", "halves"), ("hoof", "hooves"), ("knife", "knives"), ("leaf", "leaves"),
    ("loaf", "loaves"), ("scarf", "scarves"), ("self", "selves"), ("sheaf", "sheaves"), ("shelf", "shelves"),
    ("thief", "thieves"), ("wharf", "wharves"), ("wife", "wives"), ("wolf", "wolves"),
    // Latin and Greek words that keep their plural.
    ("alumnus", "alumni"), ("bacillus", "bacilli"), ("cactus", "cacti"), ("focus", "foci"), ("fungus", "fungi"),
    ("locus", "loci"), ("nucleus", "nuclei"), ("octopus", "octopi"), ("radius", "radii"), ("stimulus", "stimuli"),
    ("stratus", "strati"), ("syllabus", "syllabi"), ("terminus", "termini"), ("uterus", "uteri"), ("virus", "viri"),
    ("alumna", "alumnae"), ("alga", "algae"), ("vertebra", "vertebrae"), ("addendum", "addenda"), ("agendum", "agenda"),
    ("bacterium", "bacteria"), ("candelabrum", "candelabra"), ("curriculum", "curricula"), ("datum", "data"),
    ("desideratum", "desiderata"), ("erratum", "errata"), ("extremum", "extrema"), ("medium", "media"),
    ("millennium", "millennia"), ("stratum", "strata"), ("symposium", "symposia"), ("aphelion", "aphelia"),
    ("asyndeton", "asyndeta"), ("automaton", "automata"), ("criterion", "criteria"), ("hedron", "hedra"),
    ("hyperbaton", "hyperbata"), ("noumenon", "noumena"), ("perihelion", "perihelia"), ("phenomenon", "phenomena"),
];

/// Ends of nouns in `-man` that have nothing to do with a man.
pub(super) const NO_MAN: &[&str] = &["brahman", "caiman", "german", "human", "norman", "ottoman", "roman", "shaman", "talisman", "toman"];

/// Nouns in `-men` that are no plural. They are whole words, because `omen` is the end of `women`.
pub(super) const NO_MEN: &[&str] = &[
    "abdomen", "acumen", "amen", "bitumen", "cyclamen", "hymen", "omen", "ramen", "regimen", "semen", "specimen",
    "stamen", "albumen", "cerumen", "dolmen", "examen", "foramen", "gravamen", "lumen", "nomen", "numen", "rumen", "yemen"];

/// Nouns in a single `-s` that are in the singular, beside those in `-us` and `-sis`.
pub(super) const SINGULAR_IN_S: &[&str] = &[
    "alias", "asbestos", "atlas", "bias", "biogas", "canvas", "christmas", "clitoris", "cosmos", "epidermis", "gas", "ibis",
    "lens", "mantis", "metropolis", "orchis", "pancreas", "pelvis", "penis", "portcullis", "pyrites", "rhinoceros", "summons",
    "texas", "thermos", "tigris", "trellis", "ethos", "bus", "plus", "pus", "thus"];

/// Nouns in `-u`, whose plural must not be taken for a singular in `-us`.
pub(super) const WITH_U: &[&str] = &[
    "cpu", "emu", "fu", "fugu", "gnu", "gpu", "guru", "haiku", "iglu", "impromptu", "kudu", "menu", "mtu", "npu", "sku",
    "submenu", "sudoku", "tofu", "tpu", "tutu", "zebu", "adieu", "apu", "ecu", "hindu", "icu", "ipu", "milieu", "zulu"];

/// Nouns in `-use`, without their `e`, beside those in `-ause` and `-ouse`.
pub(super) const WITH_USE: &[&str] = &[
    "abus", "accus", "disus", "excus", "fus", "misus", "mus", "overus", "perus", "reclus", "refus", "reus", "rus", "us", "hypotenus"];

/// Nouns in `-e` after letters that make others add `-es`: `caches` come of a `cache`, `canoes` of a `canoe`.
pub(super) const WITH_E: &[&str] = &[
    "ache", "apache", "attache", "avalanche", "backache", "brioche", "cache", "cartouche", "cliche", "creche", "headache",
    "microfiche", "moustache", "mustache", "niche", "panache", "pastiche", "psyche", "quiche", "toothache", // -che
    "crevasse", "finesse", "fosse", "impasse", "lacrosse", "mousse", "posse", // -sse
    "aloe", "canoe", "doe", "floe", "foe", "hoe", "horseshoe", "mistletoe", "oboe", "roe", "shoe", "snowshoe", "toe", "woe", "backhoe", "tranche"];

/// Nouns in `-ie`: `cookies` come of a `cookie`, and `queries` of a `query`.
pub(super) const WITH_IE: &[&str] = &[
    "aerie", "birdie", "boogie", "bookie", "brownie", "budgie", "calorie", "camaraderie", "cookie", "cutie", "eyrie",
    "foodie", "freebie", "genie", "goalie", "hoodie", "indie", "junkie", "menagerie", "movie", "newbie", "pixie", "prairie",
    "reverie", "rookie", "selfie", "smoothie", "walkie", "zombie", "auntie", "bowtie", "brasserie", "collie", "groupie", "hippie", "laddie", "lassie", "lingerie", "magpie", "necktie", "patisserie", "quickie", "rotisserie", "talkie", "yuppie"];

/// Ends of plurals in `-ses` that come of `-sis`: `diagnoses` do, and `doses` do not.
pub(super) const WITH_SIS: &[&str] = &[
    "analyses", "apotheoses", "catalyses", "catharses", "crises", "dialyses", "emphases", "geneses", "gnoses", "hydrolyses",
    "hypnoses", "metamorphoses", "metastases", "neuroses", "osmoses", "paralyses", "psychoses", "symbioses", "synopses",
    "theses", "nemeses"];

/// Nouns whose `-ch` is spoken like a `k`: they take a plain `-s`.
pub(super) const HARD_CH: &[&str] = &["czech", "epoch", "eunuch", "loch", "matriarch", "monarch", "oligarch", "patriarch", "stomach", "tech"];

/// Plurals in `-series` that come of a noun in `-y` or `-ie`: `nurseries` do, and a `miniseries` is one.
pub(super) const NO_SERIES: &[&str] = &["nurseries", "miseries", "brasseries", "patisseries", "rotisseries"];
