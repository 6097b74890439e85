"""What is forgotten of an attempt `a` when the person it told of, or the event that knew of whom, goes."""

WITHOUT_HEADS = "reply_head = '', request_head = split_part(a.request_head, chr(10), 1)"
HAS_HEADS = "(a.reply_head <> '' OR position(chr(10) IN a.request_head) > 0)"
