//! A school: rows between that have callbacks and no primary key.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, callbacks};

use crate::callbacks::ran;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "lessons")]
pub struct Lesson {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
    #[column(counter_cache)]
    pub attendances_count: i64,
    #[has_many(dependent = "destroy")]
    pub attendances: HasMany<Attendance>,
    // Rows between are deleted.
    #[has_many(through = "attendances", source = "student")]
    pub students: HasManyThrough<Student>,
    // Rows between are destroyed, with their callbacks.
    #[has_many(
        through = "attendances",
        source = "student",
        dependent = "destroy",
        before_remove = Self::leaves,
        after_remove = Self::left
    )]
    pub pupils: HasManyThrough<Student>,
}

impl Lesson {
    async fn leaves(lesson: &Lesson, student: &Student, cx: &CallbackContext<'_>) -> Result<()> {
        ran(cx.repo(), "Lesson.before_remove", &format!("`{}` `{}`", lesson.name, student.name))
    }

    async fn left(lesson: &Lesson, student: &Student, cx: &CallbackContext<'_>) -> Result<()> {
        ran(cx.repo(), "Lesson.after_remove", &format!("`{}` `{}`", lesson.name, student.name))
    }
}

/// That a student attends a lesson: perhaps twice.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "attendances", callbacks)]
pub struct Attendance {
    pub lesson_id: i64,
    pub student_id: i64,
    #[column(length = 20)]
    pub seat: Option<String>,
    #[belongs_to(counter_cache)]
    pub lesson: BelongsTo<Lesson>,
    #[belongs_to]
    pub student: BelongsTo<Student>,
}

impl Attendance {
    fn ran(&self, what: &str, cx: &CallbackContext<'_>) -> Result<()> {
        let Attendance { lesson_id, student_id, seat, .. } = self;
        let seat = seat.as_deref().unwrap_or("no seat");
        ran(cx.repo(), what, &format!("{student_id} of {lesson_id}, {seat}"))
    }
}

#[callbacks]
impl Callbacks for Attendance {
    async fn before_destroy(attendance: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        attendance.ran("Attendance.before_destroy", cx)
    }

    async fn after_destroy(attendance: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        attendance.ran("Attendance.after_destroy", cx)
    }

    async fn after_commit(attendance: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        attendance.ran("Attendance.after_commit", cx)
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "students")]
pub struct Student {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
    #[has_many(dependent = "destroy", before_remove = Self::goes, after_remove = Self::gone)]
    pub attendances: HasMany<Attendance>,
    // The same rows once more.
    #[has_many(foreign_key = "student_id", dependent = "destroy")]
    pub visits: HasMany<Attendance>,
}

impl Student {
    async fn goes(student: &Student, attendance: &Attendance, cx: &CallbackContext<'_>) -> Result<()> {
        ran(cx.repo(), "Student.before_remove", &format!("`{}` of {}", student.name, attendance.lesson_id))
    }

    async fn gone(student: &Student, attendance: &Attendance, cx: &CallbackContext<'_>) -> Result<()> {
        ran(cx.repo(), "Student.after_remove", &format!("`{}` of {}", student.name, attendance.lesson_id))
    }
}

/// The tables, two lessons and three students.
pub async fn fixture(repo: &Repo) -> Result<()> {
    let _ = (crate::callbacks::take(repo), crate::callbacks::refuse_none(repo));
    repo.create_table::<Lesson>().await?;
    repo.create_table::<Attendance>().await?;
    repo.create_table::<Student>().await?;
    repo.insert_all(["sicp", "knots"].map(|name| Lesson::build().set(Lesson::NAME, name))).await?;
    repo.insert_all(["ben", "alyssa", "lem"].map(|name| Student::build().set(Student::NAME, name))).await?;
    Ok(())
}
