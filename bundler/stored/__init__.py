"""SavedModels and frozen graphs on disk, by any writer, as the `Model`s that flow through every stage."""
