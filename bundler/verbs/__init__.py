"""What a user asks for: a module for each verb (`build`, `check`, `init`, `inspect`, `lock`, …), and what they share.

`given` is what a verb works on, `linked` converts and links its models, `written` writes and checks the SavedModel.
"""
