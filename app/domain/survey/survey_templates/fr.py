from app.domain.survey.survey_templates.texts import Bands, Choice, LanguageTexts, Wording

FRENCH = LanguageTexts(
    labels={
        "nps": ("Pas du tout probable", "Extrêmement probable"),
        "csat": ("Pas du tout satisfait(e)", "Très satisfait(e)"),
        "ces": ("Pas du tout d’accord", "Tout à fait d’accord"),
        "stars": ("Mauvais", "Excellent"),
    },
    thank_you=Bands(
        "Merci ! Cela fait plaisir de savoir que nous faisons bien les choses.",
        "Merci ! Nous lisons toutes les réponses, et la vôtre nous aide à progresser.",
        "Merci pour votre franchise. Nous sommes désolés de vous avoir déçu(e) et allons nous en occuper.",
    ),
    choices={
        "areas": Choice(
            "Qu’est-ce qui a le plus pesé dans votre note ?",
            {
                "product": "Le produit lui-même",
                "price": "Le prix",
                "ordering": "La commande et le paiement",
                "delivery": "La livraison",
                "service": "Les personnes avec qui j’ai été en contact",
                "other": "Autre chose",
            },
        ),
        "solved": Choice(
            "Avez-vous obtenu une réponse à votre question ?",
            {"yes": "Oui, entièrement", "partly": "En partie", "no": "Non"},
        ),
    },
    wordings={
        "nps_relationship": Wording(
            "Quelle est la probabilité que vous recommandiez {brand|notre entreprise} à un ami ou à un collègue ?",
            Bands(
                "Qu’appréciez-vous le plus chez nous ?",
                "Que devrions-nous améliorer pour mériter un 10 ?",
                "Qu’est-ce qui n’a pas été, et que devrions-nous changer en premier ?",
            ),
        ),
        "after_purchase": Wording(
            "En pensant à votre dernière commande, recommanderiez-vous {brand|notre entreprise} à un ami ?",
            Bands(
                "Qu’est-ce qui vous a plu dans votre commande ?",
                "Qu’aurions-nous pu faire de mieux pour votre commande ?",
                "Qu’est-ce qui n’a pas été avec votre commande ?",
            ),
        ),
        "after_support": Wording(
            "Êtes-vous satisfait(e) de l’aide que vous a apportée {brand|notre équipe} ?",
            Bands(
                "Qu’avons-nous bien fait ?",
                "Qu’est-ce qui aurait rendu cet échange pleinement satisfaisant ?",
                "Qu’aurions-nous dû faire autrement ?",
            ),
        ),
        "onboarding": Wording(
            "Après vos premières semaines avec {brand|nous}, nous recommanderiez-vous à un ami ou à un collègue ?",
            Bands(
                "Qu’est-ce qui vous a le plus aidé(e) à démarrer ?",
                "Qu’est-ce qui aurait facilité vos débuts ?",
                "À quel moment avez-vous été bloqué(e) ?",
            ),
        ),
        "csat": Wording(
            "Dans l’ensemble, êtes-vous satisfait(e) de {brand|nos services} ?",
            Bands(
                "De quoi êtes-vous le plus satisfait(e) ?",
                "Que manque-t-il pour que vous soyez satisfait(e) ?",
                "De quoi n’êtes-vous pas satisfait(e) ?",
            ),
        ),
        "ces": Wording(
            "{brand|L’entreprise} m’a permis de faire facilement ce que je voulais.",
            Bands(
                "Qu’est-ce qui a rendu cela facile ?",
                "Qu’est-ce qui aurait pu être plus simple ?",
                "Qu’est-ce qui a rendu cela difficile ?",
            ),
        ),
        "five_stars": Wording(
            "Quelle note donnez-vous à votre expérience avec {brand|nous} ?",
            Bands(
                "Qu’est-ce qui vous a tant plu ?",
                "Qu’a-t-il manqué pour obtenir cinq étoiles ?",
                "Que devrions-nous améliorer ?",
            ),
        ),
        "thumbs": Wording(
            "Cela vous a-t-il été utile ?",
            Bands(
                "Qu’est-ce qui vous a aidé(e) ?",
                "Que vous a-t-il manqué ?",
                "Que cherchiez-vous ?",
            ),
        ),
        "employee_nps": Wording(
            "Quelle est la probabilité que vous recommandiez {brand|notre entreprise} comme employeur ?",
            Bands(
                "Qu’appréciez-vous le plus dans votre travail ici ?",
                "Que faudrait-il pour que vous nous recommandiez comme employeur ?",
                "Que faudrait-il changer pour que vous aimiez travailler ici ?",
            ),
            Bands(
                "Merci ! Votre réponse aide à préserver ce qui fonctionne.",
                "Merci ! Votre réponse aide à améliorer la vie au travail.",
                "Merci pour votre franchise. C’est avec des réponses comme la vôtre que les choses changent.",
            ),
        ),
        "wow": Wording(
            "Quelle est la probabilité que vous recommandiez {brand|notre entreprise} à un ami ou à un collègue ?",
            Bands(
                "La dernière fois que nous vous avons épaté(e), c’était avec quoi ?",
                "Que pourrions-nous faire pour vous épater ?",
                "Au-delà des petites améliorations, qu’est-ce qui vous ferait changer d’avis sur nous ?",
            ),
        ),
    },
)
