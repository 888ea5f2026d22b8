"""The intermediate representation: what flows from stage to stage, and the types that it is made of."""
