"""Storage: keeps a study's files safe on a local disk, a shared file system or in object storage.

Other rooms use `study_storage.open_storage` for the study's files, `results_store.ResultsStore` to record each
trial's `outcome.Outcome`, `prepared_cache` for prepared faces, `retry` to wait for storage that fails, `lease` and
`object_lease` for work that one process does for all, and `paths` for the names of files and folders.
"""
