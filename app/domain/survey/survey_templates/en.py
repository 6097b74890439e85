from app.domain.survey.survey_templates.texts import Bands, Choice, LanguageTexts, Wording

ENGLISH = LanguageTexts(
    labels={
        "nps": ("Not at all likely", "Extremely likely"),
        "csat": ("Very dissatisfied", "Very satisfied"),
        "ces": ("Strongly disagree", "Strongly agree"),
        "stars": ("Poor", "Excellent"),
    },
    thank_you=Bands(
        "Thank you! It is good to hear that we are doing something right.",
        "Thank you! We read every answer, and yours helps us get better.",
        "Thank you for being frank. We are sorry that we let you down, and we will look into it.",
    ),
    choices={
        "areas": Choice(
            "What had the most to do with your score?",
            {
                "product": "The product itself",
                "price": "The price",
                "ordering": "Ordering and paying",
                "delivery": "Delivery",
                "service": "The people I dealt with",
                "other": "Something else",
            },
        ),
        "solved": Choice(
            "Has your question been answered?",
            {"yes": "Yes, completely", "partly": "In part", "no": "No"},
        ),
    },
    wordings={
        "nps_relationship": Wording(
            "How likely are you to recommend {brand|us} to a friend or colleague?",
            Bands(
                "What do you like best about us?",
                "What would we have to do better for a 10?",
                "What went wrong, and what should we change first?",
            ),
        ),
        "after_purchase": Wording(
            "Thinking of your latest order: how likely are you to recommend {brand|us} to a friend?",
            Bands(
                "What did you like about your order?",
                "What could have been better about your order?",
                "What went wrong with your order?",
            ),
        ),
        "after_support": Wording(
            "How satisfied are you with the help you got from {brand|us}?",
            Bands(
                "What did we do well?",
                "What would have made it a good experience?",
                "What should we have done differently?",
            ),
        ),
        "onboarding": Wording(
            "After your first weeks with {brand|us}: how likely are you to recommend us to a friend or colleague?",
            Bands(
                "What helped you most when you got started?",
                "What would have made getting started easier?",
                "Where did you get stuck?",
            ),
        ),
        "csat": Wording(
            "All in all, how satisfied are you with {brand|us}?",
            Bands(
                "What are you most satisfied with?",
                "What is missing for you to be satisfied?",
                "What are you dissatisfied with?",
            ),
        ),
        "ces": Wording(
            "{brand|The company} made it easy for me to get done what I wanted.",
            Bands(
                "What made it easy?",
                "What could have been easier?",
                "What made it hard?",
            ),
        ),
        "five_stars": Wording(
            "How would you rate your experience with {brand|us}?",
            Bands(
                "What made it so good?",
                "What kept you from giving five stars?",
                "What should we do better?",
            ),
        ),
        "thumbs": Wording(
            "Was this helpful?",
            Bands(
                "What helped you?",
                "What were you missing?",
                "What were you looking for?",
            ),
        ),
        "employee_nps": Wording(
            "How likely are you to recommend {brand|us} as a place to work?",
            Bands(
                "What do you value most about working here?",
                "What would make this a place you would recommend?",
                "What would have to change for you to be glad to work here?",
            ),
            Bands(
                "Thank you! Your answer helps to keep what is good.",
                "Thank you! Your answer helps to make this a better place to work.",
                "Thank you for your frankness. Answers like yours are where change begins.",
            ),
        ),
        "wow": Wording(
            "How likely are you to recommend {brand|us} to a friend or colleague?",
            Bands(
                "What was the last thing about us that made you say wow?",
                "What could we do that would wow you?",
                "Forget about small repairs: what would win you over again?",
            ),
        ),
    },
)
