"""The curve from columns to a drawable frame: numpy, no Textual, no plotext.

columns -> places on the x axis, smoothing -> range -> axes -> thinned lines and marks -> frame
frame -> dots -> picture (characters and their roles)
"""
