"""A GPU whose memory is full, said in a sentence or two instead of torch's whole paragraph."""

# How torch ends what a person can use; what it takes apart after that is in the run's log.
_END_OF_THE_FACTS = " is free."


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch found no room on a GPU; told by name, for torch may not be loaded yet."""
    return type(error).__name__ == "OutOfMemoryError"


def facts_of(error: BaseException) -> str:
    """What was asked for, and how much there is."""
    facts, end, _ = " ".join(str(error).split()).partition(_END_OF_THE_FACTS)
    return facts + end


def sentence_of(error: BaseException) -> str:
    """An error by kind and text; for a full GPU also what needs less of it."""
    text = f"{type(error).__name__}: "
    if not is_out_of_memory(error):
        return text + str(error)
    return f"{text}{facts_of(error)} A smaller train.batch_size needs less"
