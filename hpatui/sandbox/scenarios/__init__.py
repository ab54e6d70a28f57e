"""What a sandbox starts with: one module a family; `catalog` names them without importing them."""
