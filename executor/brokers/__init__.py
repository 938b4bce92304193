"""Effects: one file is one broker; `alpaca` serves sim, paper and live.

Around it: `transport` is the line that a test stands in for, `sdk` sends through alpaca-py,
`carrying` sends many requests at a time under the `pace` of the rate limit, `parsing` and `shapes`
read what comes back. Two modules hold the two promises about it: `questions` asks again until there
is an answer, `submitting` sends once.
"""
