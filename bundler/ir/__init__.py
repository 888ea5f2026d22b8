"""The intermediate representation: the `Model` that stages hand on, and the types that it is made of."""
