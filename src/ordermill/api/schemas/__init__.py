"""What routes take and answer, one module per noun; models that features have already (drafts) are not repeated here."""
