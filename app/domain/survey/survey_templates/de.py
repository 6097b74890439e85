from app.domain.survey.survey_templates.texts import Bands, Choice, LanguageTexts, Wording

GERMAN = LanguageTexts(
    labels={
        "nps": ("Äußerst unwahrscheinlich", "Äußerst wahrscheinlich"),
        "csat": ("Sehr unzufrieden", "Sehr zufrieden"),
        "ces": ("Stimme gar nicht zu", "Stimme voll und ganz zu"),
        "stars": ("Schlecht", "Ausgezeichnet"),
    },
    thank_you=Bands(
        "Vielen Dank! Schön zu hören, dass wir etwas richtig machen.",
        "Vielen Dank! Wir lesen jede Antwort, und Ihre hilft uns, besser zu werden.",
        "Danke für Ihre offenen Worte. Es tut uns leid, dass wir Sie enttäuscht haben. Wir gehen der Sache nach.",
    ),
    choices={
        "areas": Choice(
            "Was hat Ihre Bewertung am meisten bestimmt?",
            {
                "product": "Das Produkt selbst",
                "price": "Der Preis",
                "ordering": "Bestellung und Bezahlung",
                "delivery": "Die Lieferung",
                "service": "Die Menschen, mit denen ich zu tun hatte",
                "other": "Etwas anderes",
            },
        ),
        "solved": Choice(
            "Ist Ihre Frage beantwortet?",
            {"yes": "Ja, vollständig", "partly": "Zum Teil", "no": "Nein"},
        ),
    },
    wordings={
        "nps_relationship": Wording(
            "Wie wahrscheinlich ist es, dass Sie {brand|uns} im Freundes- oder Kollegenkreis weiterempfehlen?",
            Bands(
                "Was gefällt Ihnen bei uns am besten?",
                "Was müssten wir besser machen, damit es eine 10 wird?",
                "Was ist schiefgelaufen, und was sollten wir zuerst ändern?",
            ),
        ),
        "after_purchase": Wording(
            "Mit Blick auf Ihre letzte Bestellung: Wie wahrscheinlich ist es, dass Sie {brand|uns} weiterempfehlen?",
            Bands(
                "Was hat Ihnen an Ihrer Bestellung gefallen?",
                "Was hätte bei Ihrer Bestellung besser laufen können?",
                "Was ist bei Ihrer Bestellung schiefgelaufen?",
            ),
        ),
        "after_support": Wording(
            "Wie zufrieden sind Sie mit der Hilfe, die Sie von {brand|uns} bekommen haben?",
            Bands(
                "Was haben wir gut gemacht?",
                "Was hätte daraus eine gute Erfahrung gemacht?",
                "Was hätten wir anders machen sollen?",
            ),
        ),
        "onboarding": Wording(
            "Nach Ihren ersten Wochen mit {brand|uns}: Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen?",
            Bands(
                "Was hat Ihnen den Einstieg am meisten erleichtert?",
                "Was hätte Ihnen den Einstieg leichter gemacht?",
                "Wo sind Sie hängen geblieben?",
            ),
        ),
        "csat": Wording(
            "Wie zufrieden sind Sie alles in allem mit {brand|uns}?",
            Bands(
                "Womit sind Sie besonders zufrieden?",
                "Was fehlt Ihnen, um zufrieden zu sein?",
                "Womit sind Sie unzufrieden?",
            ),
        ),
        "ces": Wording(
            "{brand|Das Unternehmen} hat es mir leicht gemacht, mein Anliegen zu erledigen.",
            Bands(
                "Was hat es leicht gemacht?",
                "Was hätte einfacher sein können?",
                "Was hat es schwer gemacht?",
            ),
        ),
        "five_stars": Wording(
            "Wie bewerten Sie Ihre Erfahrung mit {brand|uns}?",
            Bands(
                "Was war so gut?",
                "Was hat zum fünften Stern gefehlt?",
                "Was sollten wir besser machen?",
            ),
        ),
        "thumbs": Wording(
            "War das hilfreich?",
            Bands(
                "Was hat Ihnen geholfen?",
                "Was hat Ihnen gefehlt?",
                "Wonach haben Sie gesucht?",
            ),
        ),
        "employee_nps": Wording(
            "Wie wahrscheinlich ist es, dass Sie {brand|uns} als Arbeitgeber weiterempfehlen?",
            Bands(
                "Was schätzen Sie an der Arbeit hier am meisten?",
                "Was müsste sich tun, damit Sie uns als Arbeitgeber empfehlen?",
                "Was müsste sich ändern, damit Sie gern hier arbeiten?",
            ),
            Bands(
                "Vielen Dank! Ihre Antwort hilft, Gutes zu bewahren.",
                "Vielen Dank! Ihre Antwort hilft, die Arbeit hier besser zu machen.",
                "Danke für Ihre Offenheit. Mit Antworten wie Ihrer fangen Veränderungen an.",
            ),
        ),
        "wow": Wording(
            "Wie wahrscheinlich ist es, dass Sie {brand|uns} im Freundes- oder Kollegenkreis weiterempfehlen?",
            Bands(
                "Womit haben wir Sie zuletzt so richtig begeistert?",
                "Womit könnten wir Sie so richtig begeistern?",
                "Kleine Korrekturen beiseite: Womit könnten wir Sie zurückgewinnen?",
            ),
        ),
    },
)
