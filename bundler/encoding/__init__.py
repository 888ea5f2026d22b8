"""From a model to protobuf messages that are written without their weights in memory."""
