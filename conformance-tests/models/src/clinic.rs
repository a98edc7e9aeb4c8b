//! Fixture F, through associations: physicians and patients, documents and paragraphs, suppliers and histories.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "physicians")]
pub struct Physician {
    pub id: i64,
    pub name: String,
    // Declared before the association it goes through (F36).
    #[has_many(through = "appointments")]
    pub patients: HasManyThrough<Patient>,
    #[has_many]
    pub appointments: HasMany<Appointment>,
    #[has_many(through = "appointments", source = "patient", distinct, order = Patient::NAME.desc())]
    pub known_patients: HasManyThrough<Patient>,
    #[has_many(through = "appointments", source = "patient", limit = 1)]
    pub first_patients: HasManyThrough<Patient>,
    // Nested: through a through.
    #[has_many(through = "patients", source = "appointments")]
    pub colleagues_appointments: HasManyThrough<Appointment>,
    #[has_many(through = "colleagues_appointments", source = "physician", distinct)]
    pub colleagues: HasManyThrough<Physician>,
}

/// Physicians, by some of their patients.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "physicians")]
pub struct Doctor {
    pub id: i64,
    #[has_many(foreign_key = "physician_id")]
    pub appointments: HasMany<Appointment>,
    #[has_many(through = "appointments", source = "patient", limit = 2)]
    pub two_patients: HasManyThrough<Patient>,
    #[has_many(through = "appointments", source = "patient", distinct, order = Patient::NAME.desc(), limit = 2)]
    pub last_patients: HasManyThrough<Patient>,
    #[has_many(through = "last_patients", source = "appointments", order = Appointment::ROOM.asc(), limit = 3)]
    pub their_low_appointments: HasManyThrough<Appointment>,
    #[has_many(foreign_key = "physician_id", scope_by_owner = not_in_own_room)]
    pub appointments_elsewhere: HasMany<Appointment>,
    #[has_many(through = "appointments_elsewhere", source = "patient")]
    pub patients_elsewhere: HasManyThrough<Patient>,
    #[has_many(through = "appointments", source = "patient", scope_by_owner = by_turns)]
    pub patients_in_turn: HasManyThrough<Patient>,
    #[has_many(through = "patients_in_turn", source = "appointments")]
    pub appointments_in_turn: HasManyThrough<Appointment>,
}

fn not_in_own_room(doctor: &Doctor, appointments: Scope<Appointment>) -> Scope<Appointment> {
    appointments.filter(Appointment::ROOM.ne(doctor.id))
}

fn by_turns(doctor: &Doctor, patients: Scope<Patient>) -> Scope<Patient> {
    if doctor.id % 2 == 0 { patients.order_by(Patient::NAME.desc()).limit(1) } else { patients.distinct() }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "appointments")]
pub struct Appointment {
    pub id: i64,
    pub physician_id: i64,
    pub patient_id: Option<i64>,
    pub room: i64,
    #[belongs_to]
    pub physician: BelongsTo<Physician>,
    #[belongs_to]
    pub patient: BelongsTo<Option<Patient>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "patients")]
pub struct Patient {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub appointments: HasMany<Appointment>,
    #[has_many(through = "appointments")]
    pub physicians: HasManyThrough<Physician>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "documents")]
pub struct Document {
    pub id: i64,
    #[has_many]
    pub sections: HasMany<Section>,
    #[has_many(through = "sections")]
    pub paragraphs: HasManyThrough<Paragraph>,
    // The source is a has_one: what has none is skipped.
    #[has_many(through = "sections", source = "first_paragraph")]
    pub first_paragraphs: HasManyThrough<Paragraph>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "sections")]
pub struct Section {
    pub id: i64,
    pub document_id: i64,
    #[belongs_to]
    pub document: BelongsTo<Document>,
    #[has_many]
    pub paragraphs: HasMany<Paragraph>,
    #[has_one]
    pub first_paragraph: HasOne<Option<Paragraph>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "paragraphs")]
pub struct Paragraph {
    pub id: i64,
    pub section_id: i64,
    #[belongs_to]
    pub section: BelongsTo<Section>,
    // Through a belongs_to.
    #[has_one(through = "section")]
    pub document: HasOne<Option<Document>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "suppliers")]
pub struct Supplier {
    pub id: i64,
    #[has_one]
    pub account: HasOne<Option<SupplierAccount>>,
    #[has_one(through = "account", source = "history")]
    pub account_history: HasOne<Option<AccountHistory>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "supplier_accounts")]
pub struct SupplierAccount {
    pub id: i64,
    pub supplier_id: i64,
    #[belongs_to]
    pub supplier: BelongsTo<Supplier>,
    #[has_one]
    pub history: HasOne<Option<AccountHistory>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "account_histories")]
pub struct AccountHistory {
    pub id: i64,
    pub supplier_account_id: i64,
    pub credit: i64,
    #[belongs_to]
    pub supplier_account: BelongsTo<SupplierAccount>,
}

/// Makes the tables and fills them.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Physician>().await?;
    repo.create_table::<Appointment>().await?;
    repo.create_table::<Patient>().await?;
    repo.create_table::<Document>().await?;
    repo.create_table::<Section>().await?;
    repo.create_table::<Paragraph>().await?;
    repo.create_table::<Supplier>().await?;
    repo.create_table::<SupplierAccount>().await?;
    repo.create_table::<AccountHistory>().await?;
    repo.insert_all(["Ph1", "Ph2", "Ph3"].map(|name| Physician::build().set(Physician::NAME, name))).await?;
    repo.insert_all(["Pt1", "Pt2", "Pt3"].map(|name| Patient::build().set(Patient::NAME, name))).await?;
    let appointment = |physician: i64, patient: Option<i64>, room: i64| {
        Appointment::build()
            .set(Appointment::PHYSICIAN_ID, physician)
            .set(Appointment::PATIENT_ID, patient)
            .set(Appointment::ROOM, room)
    };
    // Physician 1 saw patient 2 first and patient 1 twice; one appointment has no patient.
    repo.insert_all([
        appointment(1, Some(2), 1),
        appointment(1, Some(1), 2),
        appointment(2, Some(1), 1),
        appointment(1, Some(1), 3),
        appointment(2, None, 2),
    ])
    .await?;
    repo.insert_all([Document::build(), Document::build()]).await?;
    repo.insert_all([1, 1, 2].map(|document: i64| Section::build().set(Section::DOCUMENT_ID, document))).await?;
    repo.insert_all([2, 1, 1, 2].map(|section: i64| Paragraph::build().set(Paragraph::SECTION_ID, section))).await?;
    repo.insert_all([Supplier::build(), Supplier::build(), Supplier::build()]).await?;
    repo.insert_all([1, 2].map(|supplier: i64| SupplierAccount::build().set(SupplierAccount::SUPPLIER_ID, supplier)))
        .await?;
    repo.insert(AccountHistory::build().set(AccountHistory::SUPPLIER_ACCOUNT_ID, 1).set(AccountHistory::CREDIT, 500))
        .await?;
    Ok(())
}
