"""The placeholder image of ecs_side."""
